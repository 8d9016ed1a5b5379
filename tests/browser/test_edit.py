from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.shop import Shop

WARM = "/entries/cache.warm"


def schedule(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Schedule", exact=True)


def save(page: Page, button: str = "Save") -> None:
    page.get_by_role("button", name=button).click()


def test_next_runs_and_mistakes_appear_while_somebody_types(shop: Shop, visit: Visit) -> None:
    page = visit(shop, WARM)
    page.get_by_role("link", name="Edit…").click()
    preview = page.locator("#preview")
    schedule(page).fill("7 minutes or so")
    expect(preview.get_by_role("alert")).to_contain_text("7 minutes or so")
    save(page)
    expect(page.get_by_role("alert").first).to_contain_text("Not saved: the form has mistakes")
    assert shop.entry("cache.warm").entry.schedule.plain() == {"every": "10m"}

    schedule(page).fill("7m")
    expect(preview.get_by_role("heading", name="every 7 minutes")).to_be_visible()
    expect(preview.locator(".coming li")).to_have_count(10)
    expect(preview.locator(".diff del")).to_have_text("10m")
    expect(preview.locator(".diff ins")).to_have_text("7m")
    assert shop.entry("cache.warm").entry.schedule.plain() == {"every": "10m"}

    page.get_by_label("Note for the list").fill("the cache is small")
    save(page)
    expect(page.get_by_role("main")).to_contain_text("The entry was saved.")
    change = page.get_by_role("region", name="Changes").get_by_role("row").nth(1)
    expect(change).to_contain_text("edna")
    expect(change).to_contain_text("the cache is small")
    assert shop.entry("cache.warm").entry.schedule.plain() == {"every": "7m"}


def test_two_people_edit_one_entry_and_nothing_is_lost(shop: Shop, visit: Visit) -> None:
    edna, emil = visit(shop, f"{WARM}/edit"), visit(shop, f"{WARM}/edit", name="emil")
    schedule(emil).fill("3m")
    emil.get_by_label("Note for the list").fill("it was too slow")
    save(emil)
    expect(emil.get_by_role("main")).to_contain_text("The entry was saved.")

    edna.get_by_label("Description").fill("warms what is read first")
    save(edna)
    told = edna.get_by_role("alert", name="Somebody else changed this entry")
    expect(told).to_contain_text("emil (token) edited it")
    expect(told).to_contain_text("it was too slow")
    expect(told.locator("ins")).to_have_text("3m")
    assert shop.entry("cache.warm").entry.description == ""

    edna.get_by_role("button", name="Take over both").click()
    expect(schedule(edna)).to_have_value("3m")
    expect(edna.get_by_label("Description")).to_have_value("warms what is read first")
    save(edna)
    expect(edna.get_by_role("main")).to_contain_text("The entry was saved.")
    entry = shop.entry("cache.warm").entry
    assert (entry.schedule.plain(), entry.description) == (
        {"every": "3m"},
        "warms what is read first",
    )


def test_who_changes_the_same_field_is_told(shop: Shop, visit: Visit) -> None:
    edna, emil = visit(shop, f"{WARM}/edit"), visit(shop, f"{WARM}/edit", name="emil")
    schedule(emil).fill("3m")
    save(emil)
    expect(emil.get_by_role("main")).to_contain_text("The entry was saved.")
    schedule(edna).fill("4m")
    save(edna)
    expect(edna.get_by_role("alert").first).to_contain_text("You both changed every")
    edna.get_by_role("link", name="Begin again with theirs").click()
    expect(schedule(edna)).to_have_value("3m")


def test_an_entry_is_added_and_the_addition_is_undone(shop: Shop, visit: Visit) -> None:
    page = visit(shop, "/entries")
    page.get_by_role("link", name="New entry…").click()
    page.get_by_label("Name").fill("cache.measure")
    page.get_by_label("Task", exact=True).fill("cache.tasks.measure")
    page.get_by_label("Kind of schedule").select_option("cron")
    schedule(page).fill("*/5 * * *")
    expect(page.locator("#preview").get_by_role("alert")).to_contain_text("cron")
    schedule(page).fill("*/5 * * * *")
    page.get_by_label("Keyword arguments").fill('{"deep": true}')
    save(page, "Add the entry")
    expect(page.get_by_role("heading", level=1)).to_contain_text("cache.measure")
    assert shop.entry("cache.measure").entry.kwargs == {"deep": True}

    page.get_by_role("navigation", name="Pages", exact=True).get_by_text("Changes").click()
    added = page.get_by_role("row").filter(has_text="cache.measure")
    added.get_by_role("link", name="Undo…").click()
    expect(page.get_by_role("main")).to_contain_text("Undoing removes the entry.")
    page.get_by_label("Note").fill("not needed")
    page.get_by_role("button", name="Undo the change").click()
    expect(page.get_by_role("main")).to_contain_text("was undone.")
    page.goto("/entries/cache.measure")
    expect(page.get_by_role("heading", level=1)).to_contain_text("is not in the store")


def test_an_edit_is_undone(shop: Shop, visit: Visit) -> None:
    page = visit(shop, "/changes?entry=cache.warm")
    edited = page.get_by_role("row").filter(has_text="edited")
    edited.get_by_role("link", name="Undo…").click()
    page.get_by_role("button", name="Undo the change").click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("edna")
    assert shop.entry("cache.warm").entry.schedule.plain() == {"every": "5m"}


def test_an_entry_of_a_file_names_the_file_and_cannot_be_saved(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/entries/shop.amoy.orders")
    main = page.get_by_role("main")
    expect(main).to_contain_text("Declared in schedules/shops.yaml: edit or remove it there.")
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    page.get_by_role("link", name="Definition").click()
    expect(main).to_contain_text("declared in schedules/shops.yaml. Edit or remove it there")
    expect(main.locator("input, textarea, select, button")).to_have_count(0)


def test_save_and_check_are_side_by_side_and_check_saves_nothing(shop: Shop, visit: Visit) -> None:
    page = visit(shop, f"{WARM}/edit")
    buttons = page.locator("#edit .actions").last.get_by_role("button")
    expect(buttons).to_have_text(["Save", "Check"])
    schedule(page).fill("8m")
    page.get_by_label("Description").press("Enter")
    expect(page.get_by_role("heading", name="every 8 minutes")).to_be_visible()
    buttons.last.click()
    expect(page.get_by_role("heading", name="every 8 minutes")).to_be_visible()
    assert shop.entry("cache.warm").entry.schedule.plain() == {"every": "10m"}
