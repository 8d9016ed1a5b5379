import re

from playwright.sync_api import Page, expect

from beatd.web.pages.entry_list import PAGE
from tests.browser.conftest import Visit
from tests.browser.shop import Shop


def names(page: Page) -> list[str]:
    return page.locator("tr[data-entry]").evaluate_all("all => all.map(one => one.dataset.entry)")


def test_search_and_filters_are_in_the_address(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/entries")
    page.get_by_role("searchbox").fill("PULL")
    page.keyboard.press("Enter")
    expect(page.locator("tr[data-entry]")).to_have_count(3)
    assert names(page) == ["feed.pull-prices", "feed.pull-reviews", "feed.pull-stock"]

    page.get_by_label("State").select_option("failing")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tr[data-entry]")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=PULL&state=failing"))
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("PULL")
    expect(page.get_by_label("State")).to_have_value("failing")

    page.get_by_role("searchbox").fill("no such entry")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Show all entries").click()
    expect(page.locator("tr[data-entry]")).to_have_count(PAGE)


def test_pages_on_and_back(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/entries?order=next")
    first = names(page)
    page.get_by_role("link", name="→").click()
    expect(page.locator("tr[data-entry]")).not_to_have_count(PAGE)
    second = names(page)
    assert not set(first) & set(second)
    assert len(first) + len(second) == demo.store.count()
    page.get_by_role("link", name="←").click()
    expect(page.locator("tr[data-entry]")).to_have_count(PAGE)
    assert names(page) == first


def test_keys_choose_lines_and_open_an_entry(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/entries")
    here = page.locator("tr.here")
    page.keyboard.press("j")
    expect(here).to_have_attribute("data-entry", names(page)[0])
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(here).to_have_attribute("data-entry", names(page)[1])
    page.keyboard.press("x")
    expect(here.get_by_role("checkbox")).to_be_checked()
    expect(page.locator(".ticked")).to_have_text("1 ticked")
    page.keyboard.press("x")
    expect(here.get_by_role("checkbox")).not_to_be_checked()
    opens = names(page)[1]
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{demo.address}/entries/{opens}")


def test_the_help_lists_the_keys_and_the_search_takes_letters(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/entries")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("jkxpr?/")  # letters in a field are no keys
    expect(page.get_by_role("searchbox")).to_have_value("jkxpr?/")
    expect(dialog).to_be_hidden()
    expect(page.locator("tr.here")).to_have_count(0)
