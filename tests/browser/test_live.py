"""Pages that follow the store by themselves; the browser's clock is the test's."""

from playwright.sync_api import Locator, Page, expect

from beatd.edits.pausing import pause, resume
from tests.browser.browsing import Complaints
from tests.browser.conftest import Visit
from tests.browser.shop import Shop, filled_store, serving_shop
from tests.web.demo_store import ANN
from tests.web.site import stopped_clock

POLL_S = 3
WARM = "cache.warm"


def followed(visit: Visit, shop: Shop, path: str = "/entries?q=cache") -> Page:
    """Open a page whose clock runs on only when the test says so."""
    page = visit(shop, "/sign-in", name="otto", has_touch=False)  # a browser of its own
    page.clock.install()
    page.goto(path)
    return page


def row(page: Page, name: str = WARM) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def pause_it(shop: Shop) -> None:
    assert pause(shop.store, [WARM], stopped_clock().now, ANN)


def test_a_change_made_elsewhere_appears_without_a_reload(shop: Shop, visit: Visit) -> None:
    page = followed(visit, shop)
    page.evaluate("window.sameDocument = true")
    pause_it(shop)
    page.clock.run_for(POLL_S * 1000)
    expect(row(page)).to_contain_text("paused")
    expect(page.get_by_role("status")).to_have_text("Live.")
    resume(shop.store, [WARM], stopped_clock().now, ANN)
    page.clock.run_for(POLL_S * 1000)
    expect(row(page)).not_to_contain_text("paused")
    assert page.evaluate("window.sameDocument")


def test_nothing_moves_while_a_box_is_ticked(shop: Shop, visit: Visit) -> None:
    page = followed(visit, shop)
    box = page.get_by_label("Tick cache.purge")
    box.check()
    page.mouse.move(5, 5)
    box.blur()
    pause_it(shop)
    page.clock.run_for(POLL_S * 1000)
    expect(page.get_by_role("status")).to_contain_text("There is something new.")
    expect(row(page)).not_to_contain_text("paused")
    expect(box).to_be_checked()
    page.get_by_role("button", name="Show it").click()
    expect(row(page)).to_contain_text("paused")


def test_nothing_moves_under_the_pointer(shop: Shop, visit: Visit) -> None:
    page = followed(visit, shop)
    row(page, "cache.purge").hover()
    pause_it(shop)
    page.clock.run_for(POLL_S * 1000)
    expect(page.get_by_role("status")).to_contain_text("There is something new.")
    expect(row(page)).not_to_contain_text("paused")
    page.mouse.move(5, 5)
    page.clock.run_for(POLL_S * 1000)
    expect(row(page)).to_contain_text("paused")


def test_relative_times_count_on(demo: Shop, visit: Visit) -> None:
    page = followed(visit, demo, "/entries/backup.database")
    times = page.locator(".coming .rel")
    before = times.last.text_content()
    page.clock.fast_forward("02:00:00")
    expect(times.last).not_to_have_text(before)
    expect(times.last).to_contain_text("in ")


def test_a_daemon_that_went_away_is_told_and_does_not_empty_the_page(
    visit: Visit, complaints: Complaints
) -> None:
    complaints.expected.append("ERR_CONNECTION_REFUSED")
    with serving_shop() as shop:
        page = followed(visit, shop)
    page.clock.run_for(POLL_S * 1000)
    expect(page.get_by_role("status")).to_contain_text("This daemon does not answer")
    expect(row(page)).to_be_visible()


def test_the_page_comes_back_with_the_store(
    away: Shop, visit: Visit, complaints: Complaints
) -> None:
    complaints.expected.append(": 503")
    page = followed(visit, away)
    expect(page.get_by_role("main")).to_contain_text("Connection refused")
    away.store = filled_store()
    page.clock.run_for(POLL_S * 1000)
    expect(row(page)).to_be_visible()


def test_typing_is_not_interrupted(shop: Shop, visit: Visit) -> None:
    page = followed(visit, shop)
    page.get_by_role("searchbox").fill("half a wo")
    pause_it(shop)
    page.clock.run_for(POLL_S * 1000)
    expect(page.get_by_role("status")).to_contain_text("There is something new.")
    page.keyboard.type("rd")
    expect(page.get_by_role("searchbox")).to_have_value("half a word")


def test_who_is_signed_out_elsewhere_is_asked_to_sign_in(demo: Shop, visit: Visit) -> None:
    page = followed(visit, demo)
    page.context.clear_cookies()
    page.clock.run_for(POLL_S * 1000)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_form_that_the_store_did_not_get_is_not_replaced(
    shop: Shop, visit: Visit, complaints: Complaints
) -> None:
    complaints.expected.append(": 503")
    page = followed(visit, shop, "/entries/cache.warm/run")
    shop.store = None
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_role("main")).to_contain_text("Connection refused")
    page.clock.run_for(POLL_S * 1000)
    expect(page.get_by_role("status")).to_be_empty()
    expect(page.get_by_role("main")).to_contain_text("Connection refused")


def test_a_page_that_is_seen_again_is_brought_up_to_date_at_once(shop: Shop, visit: Visit) -> None:
    page = visit(shop, locale="en")  # a page of its own, whose clock this test stops
    page.clock.install()
    page.add_init_script(
        "window.away = true;Object.defineProperty(document, 'hidden', { get: () => window.away });"
    )
    page.goto("/entries?q=cache")
    page.clock.pause_at(page.evaluate("Date.now() / 1000 + 1"))
    pause_it(shop)
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(row(page)).to_contain_text("paused")
