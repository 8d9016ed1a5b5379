"""The calendar of the planned runs."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beatd.definition import codec, entry_from
from beatd.edits.entry_change import added
from beatd.edits.pausing import pause
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from beatd.views.entry_search import EntrySearch
from beatd.web.pages import calendar as module
from beatd.web.pages.calendar import planned_runs
from beatd.web.pages.icalendar import folded, text
from tests.web.demo_store import ANN
from tests.web.pages.conftest import Shown
from tests.web.site import stopped_clock

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
ALL = EntrySearch()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(codec=codec, clock=stopped_clock())


def add(store: Any, name: str, now: datetime = NOON, **fields: Any) -> None:
    made = entry_from(name, {"task": "proj.tidy", **fields})
    assert store.write([added(made, now, None)]) == [True]


def names(store: MemoryStore, search: EntrySearch = ALL) -> list[str]:
    return [row.name for _, row in planned_runs(Roles.of(store), search, NOON)[0]]


def events(calendar: str) -> list[dict[str, str]]:
    """Return the properties of each event, unfolded."""
    found = re.findall("BEGIN:VEVENT\r\n(.*?)END:VEVENT", calendar.replace("\r\n ", ""), re.DOTALL)
    return [dict(line.split(":", 1) for line in one.split("\r\n") if line) for one in found]


# Which runs


def test_the_runs_of_seven_days_in_order(store: MemoryStore) -> None:
    add(store, "daily", cron="0 9 * * *")
    add(store, "weekly", cron="30 9 * * mon")
    add(store, "far", cron="0 0 1 6 *")
    found, is_all = planned_runs(Roles.of(store), ALL, NOON)
    assert [moment for moment, _ in found] == sorted(moment for moment, _ in found)
    assert [row.name for _, row in found] == [*["daily"] * 2, "weekly", *["daily"] * 5]
    assert is_all


OFTEN = {"every": "59m"}, {"cron": "*/30 * * * *"}, {"crontab": {"minute": "7,37"}}
SELDOM = {"every": "1h"}, {"cron": "0 * * * *"}, {"cron": "*/5 9 * * *"}, {"at": "2026-11-29"}


@pytest.mark.parametrize("fields", OFTEN)
def test_an_entry_that_runs_more_often_than_once_an_hour_is_left_out(
    store: MemoryStore, fields: dict[str, Any]
) -> None:
    add(store, "often", **fields)
    assert names(store) == []


@pytest.mark.parametrize("fields", SELDOM)
def test_an_entry_that_runs_once_an_hour_or_less_is_in_it(
    store: MemoryStore, fields: dict[str, Any]
) -> None:
    add(store, "seldom", **fields)
    assert set(names(store)) == {"seldom"}


def test_only_runs_that_will_happen(store: MemoryStore) -> None:
    add(store, "few", cron="0 9 * * *", max_runs=2)
    add(store, "ends", cron="0 9 * * *", end="2026-12-01T00:00Z")
    add(store, "paused", cron="0 9 * * *")
    add(store, "disabled", cron="0 9 * * *", enabled=False)
    pause(store, ["paused"], lambda: NOON, ANN)
    assert sorted(names(store)) == [*["ends"] * 2, *["few"] * 2]


def test_only_entries_that_match(store: MemoryStore) -> None:
    add(store, "tidy", cron="0 9 * * mon")
    add(store, "other", cron="0 9 * * mon")
    assert names(store, EntrySearch(text="tidy")) == ["other", "tidy"]  # a part of the task
    assert names(store, EntrySearch(text="othe")) == ["other"]
    assert names(store, EntrySearch(source="yaml:config")) == []


def test_the_soonest_runs_are_kept_if_there_are_too_many(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EVENTS_MAX", 10)
    add(store, "hourly", every="1h")
    add(store, "daily", cron="0 13 * * *")
    found, is_all = planned_runs(Roles.of(store), ALL, NOON)
    assert len(found) == 10 and not is_all
    assert found[-1][0] <= NOON + timedelta(hours=10)


# The text


def test_the_calendar_is_icalendar(shown: Shown) -> None:
    add(shown.store, "a; b, c\\d", shown.now, cron="0 9 * * *", kwargs={"secret": "s3cret"})
    answer = shown.get("/entries.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    lines = answer.text.split("\r\n")
    assert "\n" not in answer.text.replace("\r\n", "")
    assert lines[:3] == ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//beatd//beatd//EN"]
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "s3cret" not in answer.text
    whole = answer.text.replace("\r\n ", "")
    assert "X-WR-CALDESC:Planned runs of the next 7 days. Entries that run more often" in whole
    found = events(answer.text)
    assert len(found) == 7
    for one in found:
        assert one["SUMMARY"] == r"a\; b\, c\\d"
        assert one["DESCRIPTION"] == r"at 09:00\, UTC"
        assert re.fullmatch(r"\d{8}T090000Z", one["DTSTART"])
        assert re.fullmatch(r"\d{8}T\d{6}Z", one["DTSTAMP"])
    assert len({one["UID"] for one in found}) == 7


def test_a_uid_stays_the_same(store: MemoryStore, shown: Shown) -> None:
    add(shown.store, "tidy", shown.now, cron="0 9 * * *")
    before = {one["UID"] for one in events(shown.get("/entries.ics").text)}
    add(shown.store, "other", shown.now, cron="0 9 * * *")
    both = events(shown.get("/entries.ics?source=cli").text)
    assert before == {one["UID"] for one in both if one["SUMMARY"] == "tidy"}
    assert len({one["UID"] for one in both}) == 14


def test_a_line_is_folded_between_characters() -> None:
    line = "SUMMARY:" + "é界" * 60
    pieces = list(folded(line))
    assert all(len(piece.encode()) <= 75 for piece in pieces)
    assert all(piece.startswith(" ") for piece in pieces[1:])
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line
    assert list(folded("a" * 75)) == ["a" * 75]
    assert list(folded("a" * 76)) == ["a" * 75, " a"]


def test_control_characters_are_escaped_or_left_out() -> None:
    assert text("a\r\nb\x07,c") == r"a\nb\,c"
