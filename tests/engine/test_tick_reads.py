"""When a tick reads the entries again, sets its clock, asks for the broker and records results."""

from collections.abc import Sequence
from typing import Any

import pytest

from beatd.catalog import Stored
from beatd.edits.run_requests import trigger
from beatd.engine.tick import Tick
from beatd.errors import StoreError
from tests.fake_lease import holder
from tests.fleet import Fleet, Publisher


@pytest.fixture
def fleet() -> Fleet:
    made = Fleet()
    made.add("tidy", every="1h")
    return made


@pytest.fixture
def calls(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the daemons did: "read" the entries, set the "clock", ask for the "broker"."""
    calls, upcoming = list[str](), fleet.store.upcoming

    def read(limit: int) -> Sequence[Stored]:
        calls.append("read")
        return upcoming(limit)

    def reachable(publisher: Publisher) -> bool:
        calls.append("broker")
        return True

    monkeypatch.setattr(fleet.store, "upcoming", read)
    monkeypatch.setattr(Publisher, "reachable", reachable)
    fleet.set_clock = lambda older_than_s: calls.append(f"clock {older_than_s}")
    return calls


@pytest.fixture
def leader(fleet: Fleet, calls: list[str]) -> Tick:
    engine = fleet.daemon()
    fleet.elections[engine].campaign()
    engine.tick()
    assert calls == ["clock 2.0", "broker", "read"]
    calls.clear()
    engine.tick()
    assert calls == [], "nothing has changed"
    return engine


def away(*_: object) -> Any:
    raise StoreError("store: connection refused")


def test_a_lead_that_was_lost_and_won_between_two_ticks_is_a_new_one(
    fleet: Fleet, leader: Tick, calls: list[str]
) -> None:
    fleet.elections[leader].resign()
    fleet.elections[leader].campaign()
    leader.tick()
    assert calls == ["clock 2.0", "broker", "read"]


def test_what_was_read_is_forgotten_when_the_lead_is_lost(
    fleet: Fleet, leader: Tick, calls: list[str]
) -> None:
    fleet.elections[leader].resign()
    leader.tick()
    calls.clear()
    fleet.elections[leader].campaign()
    leader.tick()
    assert calls == ["clock 2.0", "broker", "read"]


def test_entries_are_read_again_by_a_clock_that_was_set_back(
    fleet: Fleet, leader: Tick, calls: list[str]
) -> None:
    fleet.clock.step(seconds=-5)
    leader.tick()
    assert calls == ["read"]


def test_the_clock_is_set_and_entries_are_read_when_the_store_is_back(
    fleet: Fleet, leader: Tick, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.clock.advance(seconds=1)
    with monkeypatch.context() as outage:
        outage.setattr(fleet.store, "version", away)
        leader.tick()
        assert calls == [] and not leader.store_outage.over
    leader.tick()
    assert calls == ["clock 0.0", "read"] and leader.store_outage.over
    leader.tick()
    assert calls == ["clock 0.0", "read"]


def test_the_first_tick_of_a_leader_is_by_the_clock_that_it_has_set(fleet: Fleet) -> None:
    engine = fleet.daemon()
    fleet.elections[engine].campaign()
    fleet.set_clock = lambda older_than_s: fleet.clock.step(hours=1)
    engine.tick()
    assert fleet.broker.planned() == ["2026-03-01T01:00:00+00:00"]


def test_entries_are_read_again_after_a_run_that_was_asked_for_by_hand(
    fleet: Fleet, leader: Tick, calls: list[str]
) -> None:
    trigger(fleet.store, "tidy", fleet.clock.now())
    leader.noticed_change()
    leader.tick()
    assert [run.origin for run in fleet.broker.arrived] == ["trigger"]
    calls.clear()
    leader.tick()
    assert calls == ["read"]


def test_a_standby_records_what_it_published_as_the_leader(
    fleet: Fleet, leader: Tick, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outage:
        outage.setattr(fleet.store, "record", away)
        trigger(fleet.store, "tidy", fleet.clock.now())
        leader.noticed_change()
        leader.tick()
    assert [record.state for record in fleet.history()] == ["claimed"]
    fleet.elections[leader].resign()
    fleet.lease.held = (holder("another"), float("inf"))
    leader.tick()
    assert [record.state for record in fleet.history()] == ["published"]
