from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.shop import Shop


def test_an_entry_runs_now_with_other_arguments(shop: Shop, visit: Visit) -> None:
    page = visit(shop, "/entries/feed.pull-prices", name="otto")
    page.get_by_role("link", name="Run now…").click()
    args = page.get_by_role("textbox", name="args", exact=True)
    expect(args).to_have_value('["prices"]')
    args.fill('["prices"')
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("alert")).to_contain_text("Not requested")
    expect(args).to_have_value('["prices"')

    args.fill('["one-price"]')
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("main")).to_contain_text("One run was requested.")
    (request,) = shop.requests()
    assert request.name == "feed.pull-prices"
    assert shop.entry("feed.pull-prices").entry.args == ("prices",)


def test_past_moments_are_shown_then_requested_then_called_off(shop: Shop, visit: Visit) -> None:
    page = visit(shop, "/entries/feed.pull-prices", name="otto")
    page.get_by_role("link", name="Backfill…").click()
    page.get_by_label("From").fill("2026-11-01T03:30")
    page.get_by_label("To, included").fill("2026-11-01T03:00")
    page.get_by_role("button", name="Show the moments").click()
    expect(page.get_by_role("alert")).to_contain_text("exchange the two")

    page.get_by_label("To, included").fill("2026-11-01T03:34")
    page.get_by_role("button", name="Show the moments").click()
    expect(page.locator(".coming li")).to_have_count(5)
    assert not shop.requests()
    page.get_by_role("button", name="Request 5 runs").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("feed.pull-prices")
    assert [one.kind for one in shop.requests()] == ["backfill"]

    page.get_by_role("button", name="Call off").click()
    expect(page.get_by_role("main")).to_contain_text("called off")
    assert not shop.requests()
