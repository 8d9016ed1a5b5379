import re

import pytest
from playwright.sync_api import Page, expect
from starlette.routing import Route

from beatd.web import pages
from tests.browser.browsing import HEIGHT, NARROW, WIDE, Complaints, overflow
from tests.browser.conftest import Visit
from tests.browser.paths import EVERY, FORMS, LISTS, READING
from tests.browser.shop import Shop

BETWEEN = (901,)  # the narrowest with whole tables
MOVING = """[...document.querySelectorAll("*")].map((one) => getComputedStyle(one)).filter(
  (style) => style.animationName !== "none" || parseFloat(style.transitionDuration)
).length"""


def colours(page: Page) -> list[str]:
    return page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )


def test_every_page_is_among_those_that_are_looked_at() -> None:
    for route in pages.routes():
        if not isinstance(route, Route) or "GET" not in (route.methods or ()):
            continue
        if not route.path.endswith((".ics", ".svg", "/undo")):
            pattern = re.sub(r"\\{name.*?\\}", "[^/?]+", re.escape(route.path)) + r"(\?.*)?"
            assert any(re.fullmatch(pattern, path) for path in EVERY), route.path


def test_no_page_is_wider_than_the_screen(demo: Shop, visit: Visit) -> None:
    page = visit(demo, has_touch=True)
    for path in EVERY:
        page.goto(path)
        for width in (NARROW, *BETWEEN, WIDE):
            page.set_viewport_size({"width": width, "height": HEIGHT})
            assert overflow(page) <= 0, (path, width)


def test_a_dark_screen_gets_other_colours(demo: Shop, visit: Visit) -> None:
    page = visit(demo, color_scheme="light")
    light = colours(page)
    page.emulate_media(color_scheme="dark")
    assert not set(light) & set(colours(page))


def test_nothing_moves_for_people_who_want_no_motion(demo: Shop, visit: Visit) -> None:
    page = visit(demo, reduced_motion="reduce")
    for path in LISTS:
        page.goto(path)
        assert page.evaluate(MOVING) == 0, path


def test_every_page_reads_without_scripts(demo: Shop, visit: Visit) -> None:
    page = visit(demo, java_script_enabled=False)
    for path in (*READING, *FORMS):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert len(page.get_by_role("main").inner_text()) > 100, path


def test_forms_work_without_scripts(shop: Shop, visit: Visit) -> None:
    page = visit(shop, "/entries?q=cache", java_script_enabled=False)
    page.get_by_label("Tick cache.warm").check()
    page.get_by_role("button", name="Pause…").click()
    page.get_by_role("button", name="Pause 1 entry").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pause: 1 done")
    assert shop.entry("cache.warm").paused

    page.goto("/entries/cache.warm/edit")
    page.get_by_role("textbox", name="Schedule", exact=True).fill("9m")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)  # nobody saw what changes
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("heading", name="every 9 minutes")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("main")).to_contain_text("The entry was saved.")
    assert shop.entry("cache.warm").entry.schedule.plain() == {"every": "9m"}


@pytest.mark.parametrize("path", ["/", "/entries"])
def test_an_empty_store_says_how_to_begin(empty: Shop, visit: Visit, path: str) -> None:
    expect(visit(empty, path).get_by_role("main")).to_contain_text("beatd add")


def test_without_the_store_every_list_says_so(
    away: Shop, visit: Visit, complaints: Complaints
) -> None:
    complaints.expected.append(": 503")
    page = visit(away)
    for path in LISTS:
        page.goto(path)
        expect(page.get_by_role("main")).to_contain_text("store")
