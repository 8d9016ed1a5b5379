import re

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.shop import Shop


def test_from_the_overview_to_the_reason_of_a_failure(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("fail")
    failing = page.get_by_role("region", name="Failing entries")
    failing.get_by_role("link", name="feed.pull-reviews").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("failed ×7")
    why = page.get_by_role("region", name="Why")
    expect(why).to_contain_text("Name or service not known")
    runs = page.get_by_role("region", name="Last runs")
    expect(runs.get_by_role("row").nth(1)).to_contain_text("Name or service not known")

    good = runs.get_by_role("row").filter(has_text="succeeded").first
    good.get_by_role("link", name="Why").click()
    expect(page).to_have_url(re.compile(r"\?at=.*#why"))
    expect(why).to_contain_text("succeeded")
    why.get_by_role("link", name="The newest moment").click()
    expect(why).to_contain_text("Name or service not known")


def test_the_history_of_one_entry(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/history")
    page.get_by_label("Entry").fill("feed.pull-reviews")
    page.get_by_label("Outcome").select_option("failed")
    page.get_by_role("button", name="Show").click()
    lines = page.locator("tr[data-entry]")
    expect(lines.first).to_contain_text("feed.pull-reviews")
    expect(lines.filter(has_not_text="Name or service not known")).to_have_count(0)
    page.get_by_label("Since").fill("not a moment")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert")).to_contain_text("Not understood")


def test_a_moment_that_nobody_understands_is_refused(demo: Shop, visit: Visit) -> None:
    page = visit(demo, "/entries/feed.pull-reviews")
    page.get_by_label("Another moment").fill("yesterday-ish")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("alert")).to_contain_text("yesterday-ish")
