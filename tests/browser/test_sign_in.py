from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.shop import SECRETS, Shop


def test_a_person_signs_in_and_out(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/entries?q=feed", name="")
    page.get_by_label("Token").fill("wrong-wrong-wrong-wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This token is not known here.")

    page.get_by_label("Token").fill(SECRETS["edna"])
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{demo.address}/entries?q=feed")
    expect(page.get_by_role("banner")).to_contain_text("edna editor")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/entries")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_viewer_sees_no_button_that_changes_something(demo: Shop, visit: Visit) -> None:
    page = visit(demo, name="vera")
    for path in ("/entries", "/entries/cache.warm", "/changes", "/incidents"):
        page.goto(path)
        forms = page.locator("form[method=post]").evaluate_all("all => all.map(one => one.action)")
        used = {form.removeprefix(demo.address) for form in forms if form.endswith("/sign-out")}
        assert used == {"/sign-out"}
        expect(page.locator("main")).not_to_contain_text("…")
        expect(page.get_by_role("checkbox")).to_have_count(0)
    page.goto("/entries/cache.warm/edit")
    expect(page.locator("main")).to_contain_text("editor")
