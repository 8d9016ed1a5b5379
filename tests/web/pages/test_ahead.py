"""The page of the runs ahead."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beatd.definition import codec, entry_from
from beatd.edits.entry_change import added
from beatd.schedules.clock_shift import ClockShift, next_clock_shift
from beatd.stores.embedded.memory import MemoryStore
from beatd.views import planned_ahead
from beatd.web.pages import ahead as module
from beatd.web.pages.ahead import busiest, night, read_ahead, shift_words
from tests.web.pages.conftest import Shown
from tests.web.pages.reading import entries_on, flat, link
from tests.web.site import stopped_clock

NOON = datetime(2026, 11, 28, 12, 0, 50, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(codec=codec, clock=stopped_clock())


def add(store: Any, name: str, now: datetime, **fields: object) -> None:
    made = entry_from(name, {"task": "t", **fields})
    assert store.write([added(made, now, None)]) == [True]


def test_day_and_week_and_the_quiet_minute_come_from_one_reading(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "each-minute", NOON, cron="* * * * *")
    add(store, "hourly", NOON, cron="0 * * * *")
    add(store, "daily", NOON, cron="30 20 * * *")
    plans, read = store.plans_before, list[object]()
    monkeypatch.setattr(store, "plans_before", lambda *asked: read.append(asked) or plans(*asked))
    ahead = read_ahead(store, NOON, "UTC")
    assert len(read) == 1
    assert sum(ahead.day.counts) == 24 * 60 - 1 + 23 + 1
    assert sum(ahead.week.counts) == 7 * (24 * 60 + 24 + 1) - 2
    assert ahead.day.complete and ahead.week.complete
    # Minute 0 has begun already: it counts no less for that, and minute 1 is no quieter than it.
    assert ahead.quiet is not None
    assert (ahead.quiet.runs, ahead.quiet.busiest, ahead.quiet.busiest_runs) == (6, 0, 12)


def test_the_busiest_times_are_sorted_by_their_runs(store: MemoryStore) -> None:
    for number in range(4):
        add(store, f"night-{number}", NOON, cron="0 2 * * *")
    add(store, "evening", NOON, cron="0 20 * * *")
    first, second = busiest(read_ahead(store, NOON, "UTC").day)
    assert (first.at, first.runs) == (datetime(2026, 11, 29, 2, tzinfo=UTC), 4)
    assert (second.at, second.runs) == (datetime(2026, 11, 28, 20, tzinfo=UTC), 1)


def test_a_busy_time_links_to_the_entries_that_run_next_then(shown: Shown) -> None:
    now = shown.now
    later = now + timedelta(hours=5)
    add(shown.store, "before", now, every="1h")
    for name in ("a", "b"):
        add(shown.store, name, now, at=later.isoformat())
    found = next(one for one in busiest(read_ahead(shown.store, now, "UTC").day) if one.runs > 1)
    assert found.at <= later < found.until
    assert set(entries_on(shown.text(found.path))) == {"a", "b"}
    assert found.path.replace("&", "&amp;") in shown.text("/ahead")


# Clock changes

CHANGES = [
    ("2027-03-26T12:00Z", "Sunday 2027-03-28 at 02:00 the clock goes forward by 1 h, to 03:00."),
    ("2027-10-29T12:00Z", "Sunday 2027-10-31 at 03:00 the clock goes back by 1 h, to 02:00."),
]


@pytest.mark.parametrize(("at", "words"), CHANGES)
def test_a_clock_change_in_words(at: str, words: str) -> None:
    shift = next_clock_shift(BERLIN, datetime.fromisoformat(at), timedelta(days=183))
    assert shift is not None
    change, meaning = shift_words(shift)
    assert change == words
    if shift.seconds > 0:
        assert "between 02:00 and 03:00 do not exist" in meaning and "at 03:00" in meaning
    else:
        assert "between 02:00 and 03:00 come twice" in meaning and "first one only" in meaning


def test_the_night_of_a_clock_change_shows_what_moves(store: MemoryStore) -> None:
    now = datetime(2027, 3, 26, 12, tzinfo=UTC)
    add(store, "night", now, cron="30 2 * * *", tz=BERLIN)
    shift = next_clock_shift(BERLIN, now, timedelta(days=7))
    assert shift is not None
    found = night(read_ahead(store, now, BERLIN).week, shift)
    assert found is not None
    assert found.start == shift.moment - timedelta(hours=6) and len(found.counts) == 24
    # 02:30 does not exist: the entry runs at 03:00, which is the moment of the change.
    assert [place for place, runs in enumerate(found.counts) if runs] == [12]


def test_a_change_after_the_week_has_no_night(store: MemoryStore) -> None:
    shift = next_clock_shift(BERLIN, NOON, timedelta(days=183))
    assert shift is not None
    assert night(read_ahead(store, NOON, BERLIN).week, shift) is None


# The page


def test_the_page_counts_and_suggests(demo: Shown) -> None:
    words = flat(demo.text("/ahead"))
    assert re.search(r"The next 24 hours [\d,]+ planned runs, at most \d+ within 5 minutes", words)
    assert re.search(r"minute \d+ has \d+ runs?, minute 0 has \d+\.", words)
    assert "The clock does not change within the next 183 days." in words
    assert link(demo.text("/ahead"), "Calendar") == "/entries.ics"


def test_a_clock_change_within_the_week_shows_its_night(
    demo: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = demo.now + timedelta(days=2)
    shift = ClockShift(at, -3600, datetime(2027, 10, 31, 3), datetime(2027, 10, 31, 2))  # noqa: DTZ001
    monkeypatch.setattr(module, "next_clock_shift", lambda *_: shift)
    words = flat(demo.text("/ahead"))
    assert "Sunday 2027-10-31 at 03:00 the clock goes back by 1 h, to 02:00. That is in" in words
    assert re.search(r"The hours around it [\d,]+ planned runs, at most \d+ within 30 min", words)


def test_an_incomplete_count_is_said(demo: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planned_ahead, "WORK_MAX", 100)
    words = flat(demo.text("/ahead"))
    assert "Not all runs are counted." in words
    assert re.search(r"[\d,]+\+ planned runs", words)


def test_an_empty_store_has_no_runs_ahead(shown: Shown) -> None:
    words = flat(shown.text("/ahead"))
    assert "0 planned runs" in words
    assert "No run is planned within 24 hours." in words
    assert "All minutes of the next 6 hours are alike." in words


def test_browsers_that_have_the_page_get_304(demo: Shown) -> None:
    first = demo.get("/ahead")
    assert demo.get("/ahead", **{"If-None-Match": first.headers["ETag"]}).status == 304
