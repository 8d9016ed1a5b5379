"""Pauses, and pauses that end by themselves."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from beatd.catalog import Query
from beatd.changes import Author, Pause
from beatd.definition import entry_from
from beatd.edits import pausing
from beatd.edits.editing import add, row_of
from beatd.edits.pausing import RESUME_AHEAD, end_pauses, pause, resume
from beatd.errors import ConfigError, Stale, UnknownEntry
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.fleet import Fleet
from tests.stores.making import entry

ANN, BOB = Author("ann@host-1", "command", "move"), Author("bob@host-2", "command")


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(FakeClock("2026-03-01T00:00:10+00:00"))


@pytest.fixture
def clock(fleet: Fleet) -> FakeClock:
    return fleet.clock


@pytest.fixture
def store(fleet: Fleet) -> MemoryStore:
    add(fleet.store, entry("a", every="1m"), fleet.clock.now)
    return fleet.store


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-01T{text}+00:00")


def pause_of(store: MemoryStore, name: str = "a") -> Pause | None:
    return row_of(store, name).pause


def runs_of(fleet: Fleet, until: datetime) -> list[str]:
    """Let a leader live, which ends pauses each second, and return what arrived at the broker."""
    engine, store, clock = fleet.daemon(), fleet.store, fleet.clock
    while clock.now() < until:
        if end_pauses(store, store, clock.now()):
            engine.noticed_change()
        fleet.live([engine], min(until, clock.now() + timedelta(seconds=1)))
    return [run.occurrence.planned.strftime("%H:%M:%S") for run in fleet.broker.arrived]


def test_the_store_knows_who_paused_an_entry_until_when_and_why(
    store: MemoryStore, clock: FakeClock
) -> None:
    assert pause(store, ["a"], clock.now, ANN, until=at("00:05:00")) == ["a"]
    assert pause_of(store) == Pause(at("00:00:10"), "ann@host-1", at("00:05:00"), "move")
    found = store.changes("a", 1)[0]
    assert (found.action, found.author) == ("paused", ANN)
    assert found.after is not None and found.after.until == at("00:05:00")


def test_a_second_pause_changes_the_end_or_the_note_and_nothing_else(
    store: MemoryStore, clock: FakeClock
) -> None:
    pause(store, ["a"], clock.now, ANN, until=at("00:05:00"))
    clock.advance(seconds=5)
    assert pause(store, ["a"], clock.now, BOB) == []
    assert pause_of(store) == Pause(at("00:00:10"), "ann@host-1", at("00:05:00"), "move")
    assert pause(store, ["a"], clock.now, BOB, until=at("00:09:00")) == []
    assert pause_of(store) == Pause(at("00:00:10"), "ann@host-1", at("00:09:00"), "move")
    assert pause(store, ["a"], clock.now, Author("bob", note="still")) == []
    assert pause_of(store) == Pause(at("00:00:10"), "ann@host-1", at("00:09:00"), "still")


@pytest.mark.parametrize("until", ["00:00:10", "00:00:09"])
def test_an_end_that_is_not_ahead_is_refused(
    store: MemoryStore, clock: FakeClock, until: str
) -> None:
    with pytest.raises(ConfigError, match="is past; give a later moment"):
        pause(store, ["a"], clock.now, ANN, until=at(until))
    assert not row_of(store, "a").paused


def test_a_pause_of_an_entry_that_changed_is_refused(store: MemoryStore, clock: FakeClock) -> None:
    seen = row_of(store, "a").revision
    pause(store, ["a"], clock.now, ANN, seen=seen)
    with pytest.raises(Stale):
        pause(store, ["a"], clock.now, BOB, until=at("01:00:00"), seen=seen)
    with pytest.raises(Stale):
        resume(store, ["a"], clock.now, BOB, seen=seen)
    with pytest.raises(UnknownEntry):
        resume(store, ["b"], clock.now, BOB)


@pytest.mark.parametrize(
    ("fields", "until", "ran"),
    [
        ({"every": "1m"}, "00:05:00", ["00:05:00", "00:06:00", "00:07:00"]),
        ({"every": "1m"}, "00:05:00.000001", ["00:06:00", "00:07:00"]),
        ({"every": "1m"}, "00:04:59.999999", ["00:05:00", "00:06:00", "00:07:00"]),
        ({"cron": "*/5 * * * *", "catch_up": "all", "catch_up_max": 9}, "00:05:00", ["00:05:00"]),
        ({"at": "2026-03-01T00:05:00Z"}, "00:05:00", ["00:05:00"]),
        ({"at": "2026-03-01T00:04:00Z"}, "00:05:00", []),
        ({"every": "1m", "catch_up": "all", "catch_up_max": 9}, "00:06:30", ["00:07:00"]),
    ],
)
def test_nothing_of_a_pause_runs_and_the_moment_at_its_end_does(
    fleet: Fleet, fields: dict[str, Any], until: str, ran: list[str]
) -> None:
    add(fleet.store, entry_from("a", {"task": "t", **fields}), fleet.clock.now)
    pause(fleet.store, ["a"], fleet.clock.now, ANN, until=at(until))
    assert runs_of(fleet, at("00:07:30")) == ran
    row = row_of(fleet.store, "a")
    assert not row.paused and row.pause is None
    newest = fleet.store.changes("a", 1)[0]
    assert (newest.action, newest.author) == ("resumed", pausing.PAUSE_ENDED)


def test_what_the_pause_held_back_is_in_the_history(fleet: Fleet, store: MemoryStore) -> None:
    pause(store, ["a"], fleet.clock.now, ANN, until=at("00:05:00"))
    runs_of(fleet, at("00:05:30"))
    held = [one for one in store.history("a", None) if one.state == "skipped"]
    assert [(one.reason, one.planned, one.until) for one in held] == [
        ("paused", at("00:01:00"), at("00:04:00"))
    ]


def test_a_leader_that_comes_late_runs_from_the_end_of_the_pause_by_the_catch_up_rule(
    fleet: Fleet,
) -> None:
    add(fleet.store, entry("a", every="1m", catch_up="all", catch_up_max=9), fleet.clock.now)
    pause(fleet.store, ["a"], fleet.clock.now, ANN, until=at("00:05:00"))
    fleet.clock.move_to(at("00:07:30"))  # nobody leads
    assert runs_of(fleet, at("00:08:30")) == ["00:05:00", "00:06:00", "00:07:00", "00:08:00"]


def test_only_a_pause_that_ends_is_ended(store: MemoryStore, clock: FakeClock) -> None:
    for name in "bcd":
        add(store, entry(name, every="1m"), clock.now)
    pause(store, ["a"], clock.now, ANN)
    pause(store, ["b"], clock.now, ANN, until=clock.now() + RESUME_AHEAD + timedelta(seconds=1))
    pause(store, ["c"], clock.now, ANN, until=clock.now() + RESUME_AHEAD / 2)
    assert end_pauses(store, store, clock.now(), lambda: False) == []
    assert end_pauses(store, store, clock.now()) == ["c"]
    assert end_pauses(store, store, clock.now()) == []
    assert [row.entry.name for row in store.find(Query(paused=True))] == ["a", "b"]


def test_a_pause_that_somebody_lengthens_meanwhile_goes_on(
    store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause(store, ["a"], clock.now, ANN, until=clock.now() + RESUME_AHEAD / 2)
    write = store.write

    def late(changes: Any) -> Any:
        monkeypatch.setattr(store, "write", write)
        pause(store, ["a"], clock.now, BOB, until=at("01:00:00"))
        return write(changes)

    monkeypatch.setattr(store, "write", late)
    assert end_pauses(store, store, clock.now()) == []
    found = pause_of(store)
    assert found is not None and found.until == at("01:00:00")
