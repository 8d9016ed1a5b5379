"""The list of entries: its columns, filters, pages, and what it shows when something is wrong."""

import re

from msgspec.structs import replace

from beatd.definition import entry_from
from beatd.entry import Entry
from tests.web.demo_store import names_in
from tests.web.pages.conftest import Shown
from tests.web.pages.reading import entries_on, flat, link

HOSTILE = '<script>alert("1")</script>&\'"'


def entry(name: str, **fields: object) -> Entry:
    return replace(entry_from("any", {"task": "proj.tidy", "every": "5m", **fields}), name=name)


def test_a_line_shows_state_schedule_and_what_became_of_the_last_run(demo: Shown) -> None:
    page = demo.text("/entries?q=feed.pull-reviews")
    words = flat(page)
    assert "failed ×7" in words
    assert "every 10 minutes" in words
    assert "feed.tasks.pull" in words
    titles = re.findall("<title>(.*?)</title>", page)[1:]
    assert len([one for one in titles if ", failed in" in one and "ConnectionError" in one]) >= 7
    assert not [one for one in titles if "succeeded" in one], "these runs are one shape"
    assert demo.text("/entries/feed.pull-reviews").count("<title>") > 60, "each run has its own"
    assert "ConnectionError: reviews.example" in page


def test_a_paused_entry_says_until_when_and_why(demo: Shown) -> None:
    words = flat(demo.text("/entries?state=paused"))
    assert "template is being rewritten" in words
    assert "stock import runs until noon" in words
    assert "until resumed" in words


def test_pages_lead_on_and_back_to_the_same_entries(demo: Shown) -> None:
    names = names_in(demo.store)
    first = demo.text("/entries")
    assert entries_on(first) == names[:50]
    assert "Previous page" not in first
    second = demo.text(link(first, "Next page"))
    assert entries_on(second) == names[50:]
    assert entries_on(demo.text(link(second, "First page"))) == names[:50]


def test_a_third_page_leads_back_to_the_second(shown: Shown) -> None:
    shown.fill([entry(f"job-{number:03}") for number in range(130)])
    second = link(shown.text("/entries?order=next"), "Next page")
    third = link(shown.text(second), "Next page")
    assert len(entries_on(shown.text(third))) == 30
    assert link(shown.text(third), "Previous page") == second


def test_search_state_and_owner_narrow_the_list(demo: Shown) -> None:
    assert entries_on(demo.text("/entries?q=PULL-ST")) == ["feed.pull-stock"]
    assert entries_on(demo.text("/entries?state=disabled")) == ["one-off.migration"]
    assert "backup.database" in entries_on(demo.text("/entries?state=failing"))
    owned = entries_on(demo.text("/entries?source=yaml%3Aconfig"))
    assert len(owned) == 30
    assert all(name.startswith("shop.") for name in owned)


def test_in_the_order_of_the_next_run_the_soonest_is_first(demo: Shown) -> None:
    soonest = next(iter(demo.store.upcoming(1))).entry.name
    assert entries_on(demo.text("/entries?order=next"))[0] == soonest


def test_the_count_of_entries_is_shown(demo: Shown) -> None:
    assert "Entries 59" in flat(demo.text("/entries"))
    assert "Entries 30" in flat(demo.text("/entries?source=yaml%3Aconfig"))


def test_an_empty_store_says_how_to_add_the_first_entry(shown: Shown) -> None:
    assert "beatd add tidy" in shown.text("/entries")
    assert "What runs next" in shown.text("/history")


def test_a_search_without_a_match_repeats_the_text(demo: Shown) -> None:
    words = flat(demo.text("/entries?q=nothing-like-it"))
    assert "No entry matches" in words
    assert "nothing-like-it" in words


def test_declarations_that_are_not_applied_are_listed(demo: Shown) -> None:
    words = flat(demo.text("/entries"))
    assert "1 declaration is not applied" in words
    assert "schedules/new.yaml:3" in words


def test_the_owner_and_the_queue_are_told_in_words(demo: Shown) -> None:
    words = flat(demo.text("/entries?q=cache.purge"))
    assert "cache command cli" in words
    words = flat(demo.text("/entries?q=shop.amoy.orders"))
    assert "the app's default" in words and "file yaml:" in words


def test_hostile_texts_are_shown_as_texts(shown: Shown) -> None:
    made = entry(HOSTILE, description=HOSTILE, args=[HOSTILE], options={"queue": HOSTILE})
    shown.fill([made])
    for path in ("/entries", "/", "/history", "/changes", f"/entries?q={'%3Cscript%3E'}"):
        page = shown.text(path)
        assert "<script>alert" not in page, path
    assert entries_on(shown.text("/entries")) == [HOSTILE]


def test_a_damaged_place_shows_the_first_page(demo: Shown) -> None:
    assert entries_on(demo.text("/entries?place=99999999999999999999~x"))
    assert entries_on(demo.text("/entries?place=nonsense&state=wrong&order=up"))


def test_a_viewer_sees_no_buttons(demo: Shown) -> None:
    assert 'id="tick-all"' not in demo.text("/entries", "vera")
    assert 'value="remove"' not in demo.text("/entries", "otto")
    assert 'value="remove"' in demo.text("/entries", "edna")


def test_a_page_that_the_browser_has_is_not_sent_again(demo: Shown) -> None:
    first = demo.get("/entries?q=report")
    etag = first.headers["ETag"]
    demo.clock.advance(seconds=7)  # relative times are no change
    assert demo.get("/entries?q=report", **{"If-None-Match": etag}).status == 304
    demo.store.write([])
    assert demo.get("/entries?q=mail", **{"If-None-Match": etag}).status == 200


def test_a_page_without_its_store_says_so(shown: Shown) -> None:
    shown.health = replace(shown.health, store_ok=False, waits_for="waiting for the store: refused")
    words = flat(shown.text("/daemons"))
    assert "The store is away" in words
    assert "waiting for the store: refused" in words
