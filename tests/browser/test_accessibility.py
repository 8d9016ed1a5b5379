"""Every page against the rules of WCAG 2.1, A and AA, that a program can check (axe)."""

from collections.abc import Sequence
from importlib.resources import files

import pytest
from playwright.sync_api import Page, expect

from beatd.edits.pausing import pause
from tests.browser.browsing import HEIGHT, NARROW, WIDE, Complaints
from tests.browser.conftest import Visit
from tests.browser.paths import ENTRY, FORMS, LISTS, ODD, READING
from tests.browser.shop import Shop
from tests.web.demo_store import ANN
from tests.web.site import stopped_clock

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
CONTRAST = {"type": "rule", "values": ["color-contrast"]}
#: The lines of a table and the bars of a drawing are made alike; axe needs time for each.
REMOVE_WHAT_REPEATS = """
const alike = "tbody tr:nth-child(n+6), svg[role=img] > :nth-child(n+6)";
for (const one of document.querySelectorAll(alike)) one.remove();
"""
LOOKS = (("light", WIDE, RULES), ("dark", NARROW, RULES))
#: Of other looks, only the colours can be different.
MORE_LOOKS = (("dark", WIDE, CONTRAST), ("light", NARROW, CONTRAST))


def check(page: Page, looks: Sequence[tuple[str, int, object]] = LOOKS) -> None:
    """Fail with what axe finds wrong, light and dark, on a wide and a narrow screen."""
    page.mouse.move(WIDE / 4, HEIGHT / 2)  # the script replaces nothing under the pointer
    page.evaluate(REMOVE_WHAT_REPEATS)
    page.evaluate(AXE)
    found = []
    for scheme, width, rules in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": HEIGHT})
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        answer = page.evaluate("(options) => axe.run(options)", options)
        look = f"{page.url}, {scheme}, {width}"
        found += [
            f"{look}: {one['id']}: {node['html'][:200]}: {node['failureSummary']}"
            for one in answer["violations"]
            for node in one["nodes"]
        ]
    assert not found


@pytest.mark.parametrize("paths", [READING, FORMS, ODD], ids=["reading", "forms", "odd"])
def test_no_page_has_a_violation(demo: Shop, visit: Visit, paths: Sequence[str]) -> None:
    page = visit(demo)
    for path in paths:
        page.goto(path)
        check(page)


@pytest.mark.parametrize(
    "paths",
    [("/", ENTRY), pytest.param((*READING, *FORMS, *ODD), marks=pytest.mark.long)],
    ids=["some", "all"],
)
def test_no_page_has_a_violation_in_other_colours(
    demo: Shop, visit: Visit, paths: Sequence[str]
) -> None:
    page = visit(demo)
    for path in paths:
        page.goto(path)
        check(page, MORE_LOOKS)


def test_a_violation_is_found(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/sign-in", name="")
    page.evaluate("document.querySelector('label').remove()")
    with pytest.raises(AssertionError, match="label"):
        check(page)


def test_signing_in_has_no_violation(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/sign-in", name="")
    page.get_by_label("Token").fill("not one of the tokens")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)


def test_an_action_on_several_entries_has_no_violation(shop: Shop, visit: Visit) -> None:
    page = visit(shop, "/entries?q=cache")
    page.get_by_role("checkbox", name="Tick cache.warm").check()
    page.get_by_role("checkbox", name="Tick cache.purge").check()
    check(page)
    page.set_viewport_size({"width": WIDE, "height": HEIGHT})
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("heading", name="Remove 2 entries?").wait_for()
    check(page)
    pause(shop.store, ["cache.warm"], stopped_clock().now, ANN)
    page.get_by_role("button", name="Remove 2 entries").click()
    page.get_by_role("heading", name="Remove: 1 done, 1 not").wait_for()
    check(page)


def test_an_edit_has_no_violation(shop: Shop, visit: Visit) -> None:
    page = visit(shop, "/entries/cache.warm/edit")
    page.get_by_label("Keyword arguments").fill("{")
    page.locator("#preview").get_by_role("alert").wait_for()
    check(page)
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_label("Keyword arguments")).to_have_attribute("aria-invalid", "true")
    check(page)
    page.get_by_label("Keyword arguments").fill("{}")
    page.get_by_label("Description").fill("warm")
    page.get_by_role("button", name="Save").wait_for()
    check(page)
    pause(shop.store, ["cache.warm"], stopped_clock().now, ANN)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Take over both").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("main")).to_contain_text("The entry was saved.")
    check(page)


def test_an_undo_has_no_violation(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/changes?entry=cache.warm")
    page.get_by_role("link", name="Undo…").first.click()
    page.get_by_role("button", name="Undo the change").wait_for()
    check(page)


def test_the_list_of_keys_has_no_violation(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/incidents")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    check(page)


def test_an_empty_store_has_no_violation(empty: Shop, visit: Visit) -> None:
    page = visit(empty)
    for path in LISTS:
        page.goto(path)
        check(page)


def test_a_store_that_is_away_has_no_violation(
    away: Shop, visit: Visit, complaints: Complaints
) -> None:
    complaints.expected.append(": 503")
    check(visit(away, "/entries"))
