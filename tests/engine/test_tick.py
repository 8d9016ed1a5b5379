"""The beat, ticked by hand under a clock that the test moves."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from beatd.catalog import Stored
from beatd.engine import moves
from beatd.engine.tick import SOON, Engine
from beatd.errors import StoreError
from beatd.events import (
    BrokerAway,
    BrokerBack,
    ClockStepped,
    Overdue,
    Sent,
    StoreAway,
    StoreBack,
    Unplannable,
    WentBack,
)
from beatd.ledger import Move, Request
from beatd.observers.last_state import LastState
from beatd.observers.log import in_short
from beatd.observers.metrics import Metrics
from beatd.publisher import Outcome
from beatd.run import Run, task_id
from tests.household import Broker, Household, Publisher
from tests.office import holder


@pytest.fixture
def house() -> Household:
    return Household()


def hhmm(iso: list[str]) -> list[str]:
    return [text[11:16] for text in iso]


# on time


def test_each_moment_is_published_once(house: Household) -> None:
    house.add("tidy", every="1m")
    house.minutes(house.daemon(), 5)
    assert hhmm(house.broker.planned()) == ["00:01", "00:02", "00:03", "00:04", "00:05"]


def test_the_task_id_is_made_from_entry_and_moment_alone(house: Household) -> None:
    house.add("tidy", every="1m")
    house.minutes(house.daemon(), 1)
    (run,) = house.broker.arrived
    assert run.task_id == task_id(house.store.namespace, run.occurrence)


class Held:
    """A claim that was made ready, and what became of it."""

    def __init__(self) -> None:
        self.became = "held"

    def make(self) -> Sequence[bool]:
        self.became = "made"
        return [False]

    def drop(self) -> None:
        self.became = "dropped"


def held_in(house: Household) -> Held:
    claim = Held()
    house.store.hold = lambda *args: claim  # type: ignore[method-assign, assignment, return-value]
    return claim


def just_before(house: Household) -> Engine:
    """The leader, in the last moment before an entry is due."""
    house.add("tidy", every="1m")
    engine = house.daemon()
    house.live([engine], house.clock.now() + timedelta(minutes=1) - SOON)
    return engine


def test_what_comes_next_is_made_ready_in_the_last_moment_before(house: Household) -> None:
    claim = held_in(house)
    engine = just_before(house)
    assert claim.became == "held"
    house.clock.advance(seconds=SOON.total_seconds())
    engine.tick()
    assert claim.became == "made"


def test_a_tick_that_makes_nothing_ready_drops_what_was(house: Household) -> None:
    claim = held_in(house)
    engine = just_before(house)
    house.lease.held = None
    house.elections[engine].resign()
    engine.tick()
    assert claim.became == "dropped"


def test_a_lead_that_was_lost_drops_it_before_the_broker_is_asked(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = held_in(house)
    engine = just_before(house)
    asked: list[str] = []
    monkeypatch.setattr(Publisher, "reachable", lambda self: bool(asked.append(claim.became)))
    house.elections[engine].resign()
    engine.tick()
    assert asked == ["dropped"]


def test_a_tick_that_fails_drops_what_was_ready(house: Household) -> None:
    claim = held_in(house)
    engine = just_before(house)
    engine.noticed_change()
    house.store.upcoming = refuse  # type: ignore[method-assign, assignment]
    engine.tick()
    assert claim.became == "dropped"


def refuse(*args: object) -> None:
    raise StoreError("away")


def test_a_tick_returns_the_moment_to_look_again(house: Household) -> None:
    house.add("soon", every="1h", start=(house.clock.now() + timedelta(seconds=0.4)).isoformat())
    engine = house.daemon()
    house.elections[engine].campaign()
    due, again = house.clock.now() + timedelta(seconds=0.4), engine.tick()
    assert due - again == SOON  # to look whether it still holds
    house.clock.advance(seconds=0.4 - SOON.total_seconds())
    assert engine.tick() == due


def test_a_standby_publishes_nothing(house: Household) -> None:
    house.add("tidy", every="1m")
    leader, standby = house.daemon(), house.daemon()
    house.elections[leader].campaign()
    house.elections[standby].campaign()
    house.clock.advance(seconds=1)
    standby.tick()
    assert house.broker.arrived == []


def test_a_herd_is_published_in_batches(house: Household) -> None:
    house = Household(batch=100)
    for n in range(1050):
        house.add(f"entry {n:04}", every="1m")
    house.minutes(house.daemon(), 1)
    assert len(house.broker.arrived) == 1050
    assert len({run.task_id for run in house.broker.arrived}) == 1050


# who leads


def test_an_entry_first_seen_just_before_the_leader_dies_runs(house: Household) -> None:
    first, second = house.daemon(), house.daemon()
    house.live([first], house.clock.now() + timedelta(seconds=58.5))
    due = house.clock.now() + timedelta(seconds=1)
    house.add("last minute", at=due.isoformat())
    house.minutes(second, 1)
    assert house.broker.planned("last minute") == [due.isoformat()]


def test_a_takeover_neither_loses_nor_doubles(house: Household) -> None:
    house.add("tidy", every="10s", catch_up="all", catch_up_max=100)
    for _ in range(6):
        house.minutes(house.daemon(), 0.5)
    planned = house.broker.planned()
    assert len(planned) == len(set(planned))
    assert sorted(planned)[0][11:19] == "00:00:10" and len(planned) >= 17


def test_a_deposed_leader_publishes_nothing_more(house: Household) -> None:
    house.add("tidy", every="1m")
    old = house.daemon()
    house.live([old], house.clock.now() + timedelta(seconds=59.5))
    house.store.begin(holder("another"))  # the lock was wiped: the ledger knows a newer term
    house.clock.advance(seconds=0.5)
    old.tick()
    assert house.broker.arrived == []
    assert house.elections[old].lead() is None, "it stepped down"


def test_after_a_new_identity_nothing_is_published_under_an_old_id(house: Household) -> None:
    house.add("tidy", every="1m")
    engine = house.daemon()
    house.live([engine], house.clock.now() + timedelta(seconds=59.5))
    house.store.new_identity()
    house.store.begin(holder("beatd store new-identity"))
    house.minutes(engine, 1)
    assert len(house.broker.arrived) == 1
    for run in house.broker.arrived:
        assert run.task_id == task_id(house.store.namespace, run.occurrence)


# late


def test_latest_publishes_one_and_records_the_others_as_one_stretch(house: Household) -> None:
    house.add("tidy", every="1m")
    engine = house.daemon()
    house.minutes(engine, 1)
    house.clock.advance(minutes=10)
    house.minutes(engine, 0.1)
    assert hhmm(house.broker.planned())[-1] == "00:11"
    skipped = [record for record in house.history() if record.state == "skipped"]
    assert [(r.reason, r.count) for r in skipped] == [("caught up (nobody led)", 9)]


def test_all_publishes_each_oldest_first(house: Household) -> None:
    house.add("tidy", every="1m", catch_up="all", catch_up_max=1000)
    engine = house.daemon()
    house.minutes(engine, 1)
    house.clock.advance(minutes=10)
    house.minutes(engine, 0.5)
    assert hhmm(house.broker.planned()) == [f"00:{m:02}" for m in range(1, 12)]


def test_a_backlog_does_not_hold_up_what_is_due_now(house: Household) -> None:
    house.add("bulk", every="1s", catch_up="all", catch_up_max=10_000)
    engine = house.daemon()
    house.minutes(engine, 0.1)
    house.clock.advance(minutes=60)
    house.add("now", at=(house.clock.now() + timedelta(seconds=1)).isoformat())
    house.minutes(engine, 0.05)
    assert house.broker.planned("now") != []


def test_skip_publishes_only_within_grace(house: Household) -> None:
    house.add("tidy", every="1m", catch_up="skip", grace="10s")
    engine = house.daemon()
    house.minutes(engine, 1)
    house.clock.advance(seconds=60 * 3 + 30)
    house.minutes(engine, 0.1)
    assert hhmm(house.broker.planned()) == ["00:01"]
    assert [r.count for r in house.history() if r.state == "skipped"] == [3]


def test_a_one_off_runs_once_and_is_finished(house: Household) -> None:
    house.add("once", at="2026-03-01T00:00:30Z")
    house.minutes(house.daemon(), 5)
    assert len(house.broker.arrived) == 1


def test_max_runs_ends_an_entry(house: Household) -> None:
    house.add("thrice", every="1m", max_runs=3)
    house.minutes(house.daemon(), 10)
    assert len(house.broker.arrived) == 3


# edits


def test_resuming_fires_no_past_moment(house: Household) -> None:
    entry = house.add("tidy", every="1m")
    engine = house.daemon()
    house.minutes(engine, 1)
    house.put(entry, paused=True)
    house.minutes(engine, 10)
    house.put(entry)
    house.minutes(engine, 0.5)
    assert hhmm(house.broker.planned()) == ["00:01"]
    house.minutes(engine, 1)
    assert hhmm(house.broker.planned()) == ["00:01", "00:12"]


def test_an_edit_acknowledged_before_the_claim_is_honoured(house: Household) -> None:
    house.add("tidy", every="1m", args=[1])
    engine = house.daemon()
    house.live([engine], house.clock.now() + timedelta(seconds=59.5))
    house.add("tidy", every="1m", args=[2])
    house.minutes(engine, 0.5)
    assert [run.entry.args for run in house.broker.arrived] == [(2,)]


def test_a_removed_entry_runs_no_more(house: Household) -> None:
    house.add("tidy", every="1m")
    engine = house.daemon()
    house.live([engine], house.clock.now() + timedelta(seconds=59.5))
    house.remove("tidy")
    house.minutes(engine, 2)
    assert house.broker.arrived == []


# the broker away


def test_nothing_is_claimed_while_the_broker_is_away(house: Household) -> None:
    house.add("tidy", every="1m")
    engine = house.daemon()
    house.minutes(engine, 1)
    house.broker.up = False
    house.minutes(engine, 3)
    assert [r.state for r in house.history()].count("claimed") <= 1
    house.broker.up = True
    house.minutes(engine, 0.1)
    assert hhmm(house.broker.planned()) == ["00:01", "00:04"]
    assert {type(e) for e in house.told} >= {BrokerAway, BrokerBack}
    assert [r for r in house.history() if r.state == "claimed"] == []


def test_what_went_by_while_the_broker_was_away_says_so(house: Household) -> None:
    house.add("tidy", every="1m")
    house.add("late", every="1m", catch_up="skip", grace="1s")
    engine = house.daemon()
    house.minutes(engine, 1)
    house.broker.up = False
    house.minutes(engine, 3.2)
    house.broker.up = True
    house.minutes(engine, 2)
    skipped = {r.name: r.reason for r in house.history() if r.state == "skipped"}
    assert skipped["tidy"] == "caught up (the broker was away)"
    assert skipped["late"].endswith("grace is 1 s (the broker was away)")
    assert in_short(skipped["late"]) == "late"


def test_a_new_leader_asks_for_the_broker_before_it_claims(house: Household) -> None:
    house.add("tidy", every="1s")
    house.broker.up = False
    house.minutes(house.daemon(), 0.1)
    assert house.history() == []


def test_a_rejected_message_fails_alone(house: Household) -> None:
    house.add("bad", every="1m")
    house.add("good", every="1m")
    house.broker.fault = lambda run: (
        Outcome("rejected", "no route") if run.entry.name == "bad" else None
    )
    house.minutes(house.daemon(), 1)
    assert [run.entry.name for run in house.broker.arrived] == ["good"]
    assert [(r.state, r.reason) for r in house.history("bad")] == [("failed", "no route")]


def test_one_full_queue_holds_back_nothing_else_and_is_not_hammered(house: Household) -> None:
    house.add("full", every="1m")
    house.add("free", every="1s")
    asked: list[Run] = []

    def fault(run: Run) -> Outcome | None:
        if run.entry.name == "free":
            return None
        asked.append(run)
        return Outcome("unsent", "nack: the queue is full")

    house.broker.fault = fault
    house.minutes(house.daemon(), 1)
    asked.clear()
    house.minutes(house.daemon(), 0.5)
    assert len(house.broker.planned("free")) >= 89
    assert len(asked) <= 35, "about once a second"


# outcomes unknown


def lose_once(house: Household, *, arrives: bool) -> None:
    lost: list[Run] = []

    def fault(run: Run) -> Outcome | None:
        if lost:
            return None
        lost.append(run)
        if arrives:
            house.broker.arrived.append(run)
        return Outcome("unknown", "no confirm")

    house.broker.fault = fault


def test_an_unknown_outcome_is_sent_again_under_the_same_id(house: Household) -> None:
    house.add("tidy", every="1h")
    lose_once(house, arrives=True)
    house.minutes(house.daemon(), 61)
    assert len(house.broker.arrived) == 2
    assert len({run.task_id for run in house.broker.arrived}) == 1
    assert [r.state for r in house.history()] == ["published"]


def test_an_unknown_outcome_is_left_alone_where_the_entry_says_so(house: Household) -> None:
    house.add("payroll", every="1h", on_unknown="skip")
    lose_once(house, arrives=True)
    house.minutes(house.daemon(), 61)
    assert len(house.broker.arrived) == 1
    assert [(r.state, r.reason) for r in house.history()] == [("skipped", "unknown")]


def test_a_claim_left_by_a_dead_leader_is_settled_by_the_next(house: Household) -> None:
    house.add("tidy", every="1h")
    first, second = house.daemon(), house.daemon()
    house.broker.fault = lambda run: Outcome("unknown", "killed")
    house.live([first], house.clock.now() + timedelta(minutes=60))
    house.broker.fault = lambda run: None
    house.minutes(second, 1)
    assert len(house.broker.arrived) == 1


def test_no_claim_is_settled_while_the_leader_before_may_be_publishing_it(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add("tidy", every="1h")
    first, second, claim = house.daemon(), house.daemon(), house.store.claim
    house.live([first], house.clock.now() + timedelta(minutes=59, seconds=59.9))

    def slow(moves: Sequence[Move], *rest: Any) -> Sequence[bool]:
        made = claim(moves, *rest)
        monkeypatch.setattr(house.store, "claim", claim)
        for _ in range(7):
            house.clock.advance(seconds=0.7)
            house.elections[first].campaign()  # on a thread of its own, it is not held up
        return made

    def lose_the_lead(run: Run) -> None:
        house.broker.fault = lambda run: None
        house.elections[first].resign()
        house.minutes(second, 4.9 / 60)
        assert house.broker.arrived == [], "the first is at it, within its time-out"

    monkeypatch.setattr(house.store, "claim", slow)
    house.broker.fault = lose_the_lead
    house.clock.advance(seconds=0.1)
    house.elections[first].campaign()
    first.tick()
    house.minutes(second, 1)
    assert len(house.broker.arrived) == 1
    assert [record.state for record in house.history()] == ["published"]


# the store away


def test_a_store_that_is_away_is_waited_for(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add("tidy", every="1m")
    engine = house.daemon()
    house.minutes(engine, 1)

    def away(*_: object) -> None:
        raise StoreError("store: connection refused")

    with monkeypatch.context() as patch:
        for method in ("upcoming", "version", "claim"):
            patch.setattr(house.store, method, away)
        house.minutes(engine, 2)
    house.minutes(engine, 0.2)
    assert hhmm(house.broker.planned()) == ["00:01", "00:03"]
    assert {type(event) for event in house.told} >= {StoreAway, StoreBack}


def test_what_was_published_is_recorded_when_the_store_is_back(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add("tidy", every="1m")
    engine = house.daemon()

    def away(results: object) -> None:
        raise StoreError("store: connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(house.store, "record", away)
        house.minutes(engine, 1)
    house.minutes(engine, 0.1)
    assert len(house.broker.arrived) == 1
    assert [r.state for r in house.history()] == ["published"]


def test_a_standby_says_once_that_the_store_is_away_and_once_that_it_is_back(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add("tidy", every="1h")
    house.lease.held = (holder("another"), float("inf"))
    standby = house.daemon()
    house.minutes(standby, 0.1)

    def away(*_: object) -> None:
        raise StoreError("store: connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(house.store, "upcoming", away)
        house.minutes(standby, 0.05)
        assert not standby.store_ok, "before anything is overdue, too"
        house.minutes(standby, 0.5)
        assert not standby.store_ok
    house.minutes(standby, 0.05)
    assert standby.store_ok
    told = [type(event) for event in house.told if isinstance(event, StoreAway | StoreBack)]
    assert told == [StoreAway, StoreBack]


def test_a_leader_that_waits_for_the_broker_knows_whether_the_store_answers(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add("tidy", every="1m")
    engine = house.daemon()
    house.minutes(engine, 1)

    def away(*_: object) -> None:
        raise StoreError("store: connection refused")

    house.broker.up = False
    house.minutes(engine, 1)
    with monkeypatch.context() as patch:
        for method in ("upcoming", "version", "claim"):
            patch.setattr(house.store, method, away)
        house.minutes(engine, 0.1)
        assert not engine.store_ok and not engine.broker_ok
    house.minutes(engine, 0.1)
    assert engine.store_ok and not engine.broker_ok
    told = [type(event) for event in house.told if isinstance(event, StoreAway | StoreBack)]
    assert told == [StoreAway, StoreBack]


def test_a_store_that_lost_a_claim_is_said_to_have_gone_back(house: Household) -> None:
    house.add("tidy", every="1m")
    engine = house.daemon()
    house.minutes(engine, 1.5)
    replica = deepcopy(house.store._tables)
    house.minutes(engine, 1)
    house.store._tables = replica
    engine.noticed_change()  # as after a connection that broke
    house.minutes(engine, 1)
    assert hhmm(house.broker.planned()) == ["00:01", "00:02", "00:02", "00:03"]
    assert len({run.task_id for run in house.broker.arrived}) == 3
    (told,) = [event for event in house.told if isinstance(event, WentBack)]
    assert "'tidy' was claimed for 2026-03-01 00:02:00" in told.reason


# the clock


def test_a_clock_that_steps_ahead_and_back_repeats_nothing(house: Household) -> None:
    house.add("hourly", every="1h")
    engine = house.daemon()
    house.minutes(engine, 61)
    house.clock.step(hours=3)
    house.minutes(engine, 1)
    house.clock.step(hours=-3)
    house.minutes(engine, 240)
    assert hhmm(house.broker.planned()) == ["01:00", "04:00", "05:00"]
    assert [round(e.seconds) for e in house.told if isinstance(e, ClockStepped)] == [10800, -10800]


def test_a_machine_that_slept_runs_the_latest(house: Household) -> None:
    house.add("hourly", every="1h")
    engine = house.daemon()
    house.minutes(engine, 61)
    house.clock.advance(hours=7)
    house.minutes(engine, 1)
    assert hhmm(house.broker.planned()) == ["01:00", "08:00"]


# asked for by hand


def test_a_trigger_is_a_new_task_and_leaves_the_plan_alone(house: Household) -> None:
    house.add("nightly", cron="0 2 * * *")
    now = house.clock.now()
    house.store.ask([Request("r1", "nightly", "trigger", now, now, 1)])
    house.minutes(house.daemon(), 1)
    (run,) = house.broker.arrived
    assert run.occurrence.request == "r1"
    house.minutes(house.daemon(), 121)
    assert hhmm(house.broker.planned())[-1] == "02:00"


def test_a_backfill_publishes_every_moment_asked_for(house: Household) -> None:
    house.add("hourly", every="1h")
    now = house.clock.now()
    first = now - timedelta(hours=3)
    house.store.ask([Request("r1", "hourly", "backfill", first, now, 1)])
    house.minutes(house.daemon(), 1)
    assert hhmm(house.broker.planned()) == ["21:00", "22:00", "23:00", "00:00"]


def test_a_backfill_is_worked_off_in_batches(house: Household) -> None:
    house.add("hourly", every="1h")
    now = house.clock.now()
    house.store.ask([Request("r1", "hourly", "backfill", now - timedelta(hours=499), now, 1)])
    house.minutes(house.daemon(), 0.1)
    assert len(house.broker.arrived) == 500
    batches = [event for event in house.told if isinstance(event, Sent)]
    assert len(batches) <= 6


def test_what_is_asked_by_hand_is_due_when_it_was_asked_for(house: Household) -> None:
    house.add("hourly", every="1h", jitter="30m")
    now = house.clock.now()
    house.store.ask([Request("r1", "hourly", "trigger", now, now, 1)])
    house.store.ask([Request("r2", "hourly", "backfill", now, now, 1)])
    house.clock.advance(seconds=2)
    house.minutes(house.daemon(), 0.01)
    assert [record.late for record in house.history()] == [2.0, 2.0]


def test_what_is_asked_by_hand_is_never_late(house: Household) -> None:
    state = LastState()
    house.add("hourly", every="1h")
    now = house.clock.now()
    house.store.ask([Request("r1", "hourly", "backfill", now - timedelta(hours=9), now, 1)])
    house.minutes(house.daemon(), 0.1)
    for event in house.told:
        state(event)
    assert state.lateness()["max"] is None


# those who watch


def test_a_standby_reports_what_its_leader_owes(house: Household) -> None:
    house.add("tidy", every="1m")
    leader, standby = house.daemon(), house.daemon()
    house.elections[leader].campaign()
    house.clock.advance(minutes=2)
    house.elections[leader].campaign()
    house.elections[standby].campaign()
    standby.tick()
    assert [event.name for event in house.told if isinstance(event, Overdue)] == ["tidy"]


def test_a_standby_takes_back_what_it_reported_once_its_leader_is_on_time(house: Household) -> None:
    house.add("tidy", every="1m")
    leader, standby = house.daemon(), house.daemon()
    metrics, state = Metrics(), LastState()
    house.elections[leader].campaign()
    house.clock.advance(minutes=2)
    for _ in range(3):
        for engine in (leader, standby):
            house.elections[engine].campaign()
        standby.tick()
        house.clock.advance(seconds=1.1)
    assert [type(event) for event in house.told].count(Overdue) == 1, "and not once a second"
    house.elections[leader].campaign()
    leader.tick()
    standby.tick()
    for event in house.told:
        metrics(event)
        state(event)
    assert state.overdue == "" and metrics.overdue._value.get() == 0


def test_an_entry_whose_plan_fails_stops_nobody_else(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.add("good", every="1m")
    house.add("poison", every="50s")
    engine, settle, tried = house.daemon(), moves.settle, list[str]()

    def fails(row: Stored, *rest: Any) -> Any:
        if row.entry.name == "poison":
            tried.append(row.entry.name)
            raise OverflowError("date value out of range")
        return settle(row, *rest)

    monkeypatch.setattr(moves, "settle", fails)
    claim, sizes = house.store.claim, list[int]()

    def sized(made: Sequence[Move], *rest: Any) -> Sequence[bool]:
        sizes.append(len(made))
        return claim(made, *rest)

    monkeypatch.setattr(house.store, "claim", sized)
    house.minutes(engine, 3)
    assert 0 not in sizes
    assert [run.entry.name for run in house.broker.arrived] == ["good"] * 3
    told = [event for event in house.told if isinstance(event, Unplannable)]
    assert told == [Unplannable("poison", "OverflowError: date value out of range")]
    assert len(tried) == 1, "a search that fails takes its time, and is not repeated"


# what is remembered


class Forgetful(Publisher):
    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.forgotten = list[str]()

    def forget(self, names: Sequence[str]) -> None:
        self.forgotten += sorted(names)


def remembering(house: Household) -> tuple[Engine, Forgetful]:
    engine, publisher = house.daemon(), Forgetful(house.broker)
    engine._publisher = publisher
    return engine, publisher


def test_an_entry_that_is_removed_leaves_nothing_in_a_cache(house: Household) -> None:
    house.add("stays", every="1s")
    house.add("goes", every="1s")
    engine, publisher = remembering(house)
    house.minutes(engine, 0.1)
    assert set(house.store._entries) == {"stays", "goes"} and not publisher.forgotten
    house.remove("goes")
    engine.noticed_change()
    house.minutes(engine, 0.1)
    assert set(house.store._entries) == {"stays"}
    assert publisher.forgotten == ["goes"]


def test_an_entry_that_is_removed_at_its_moment_leaves_nothing_in_a_cache(
    house: Household,
) -> None:
    house.add("goes", every="1m")
    engine, publisher = remembering(house)
    house.minutes(engine, 1)
    house.remove("goes")  # the engine is not told
    house.minutes(engine, 1)
    assert not house.store._entries and set(publisher.forgotten) == {"goes"}
    assert len(house.broker.arrived) == 1


def test_entries_beyond_what_is_read_ahead_are_not_forgotten(house: Household) -> None:
    for number in range(100):
        house.add(f"hourly-{number:02}", every="1h")
    house.add("busy", every="1s")
    engine, publisher = remembering(house)
    house.minutes(engine, 61)
    assert len(house.store._entries) == 101 and not publisher.forgotten
