from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.shop import Shop

THREE = ["herd.hourly-01", "herd.hourly-02", "herd.hourly-03"]


def tick(page: Page) -> None:
    page.goto("/entries?q=herd")
    for name in THREE:
        page.get_by_label(f"Tick {name}").check()
    expect(page.locator(".ticked")).to_have_text("3 ticked")


def test_three_entries_are_paused_and_resumed(shop: Shop, visit: Visit) -> None:
    page = visit(shop, name="otto")
    tick(page)
    page.get_by_role("button", name="Pause…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pause 3 entries?")
    for name in THREE:
        expect(page.get_by_role("row", name=name)).to_be_visible()
    assert not any(shop.entry(name).paused for name in THREE)

    page.get_by_label("Until").fill("next Tuesday")
    page.get_by_role("button", name="Pause 3 entries").click()
    expect(page.get_by_role("alert")).to_contain_text("next Tuesday")
    page.get_by_label("Until").fill("2h")
    page.get_by_label("Note").fill("the herd rests")
    page.get_by_role("button", name="Pause 3 entries").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pause: 3 done")
    rows = [shop.entry(name) for name in THREE]
    assert [row.pause.note for row in rows] == ["the herd rests"] * 3
    assert all(row.pause.until for row in rows)

    page.get_by_role("link", name="Back to the entries").click()
    page.get_by_role("searchbox").fill("herd")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name=THREE[0])).to_contain_text("paused")
    expect(page.get_by_role("row", name=THREE[0])).to_contain_text("the herd rests")

    tick(page)
    page.get_by_role("button", name="Resume…").click()
    page.get_by_role("button", name="Resume 3 entries").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Resume: 3 done")
    assert not any(shop.entry(name).paused for name in THREE)


def test_a_form_that_is_sent_twice_acts_once(shop: Shop, visit: Visit) -> None:
    page = visit(shop, name="otto")
    tick(page)
    page.get_by_role("button", name="Run now…").click()
    page.get_by_role("button", name="Run now 3 entries").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Run now: 3 done")
    page.reload()
    expect(page.get_by_role("note")).to_contain_text("This form was sent before.")
    assert len(shop.requests()) == 3


def test_an_entry_that_somebody_changed_after_the_preview_is_left_alone(
    shop: Shop, visit: Visit
) -> None:
    page, other = visit(shop), visit(shop, name="otto")
    tick(page)
    page.get_by_role("button", name="Remove…").click()
    tick(other)
    other.get_by_label(f"Tick {THREE[1]}").uncheck()
    other.get_by_label(f"Tick {THREE[2]}").uncheck()
    other.get_by_role("button", name="Pause…").click()
    other.get_by_role("button", name="Pause 1 entry").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Pause: 1 done")

    page.get_by_role("button", name="Remove 3 entries").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Remove: 2 done, 1 not")
    left = page.get_by_role("table", name="Not done")
    expect(left.get_by_role("row").nth(1)).to_contain_text(THREE[0])
    assert shop.entry(THREE[0]).paused


def test_the_keyboard_alone_pauses_an_entry(shop: Shop, visit: Visit) -> None:
    page = visit(shop, "/entries")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("p")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pause 1 entry?")
    until, button = page.get_by_label("Until"), page.get_by_role("button", name="Pause 1 entry")
    for _ in range(30):  # the links of the frame come first
        page.keyboard.press("Tab")
        if until.evaluate("field => field === document.activeElement"):
            break
    page.keyboard.type("30m")
    page.keyboard.press("Tab")
    page.keyboard.type("by keyboard")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pause: 1 done")
    assert shop.entry("backup.database").pause.note == "by keyboard"


def test_the_key_r_runs_the_ticked_entries(shop: Shop, visit: Visit) -> None:
    page = visit(shop, name="otto")
    tick(page)
    page.locator("body").press("r")
    expect(page.get_by_role("heading", level=1)).to_have_text("Run now 3 entries?")
