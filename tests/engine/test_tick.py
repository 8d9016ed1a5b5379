"""The beat, ticked by hand under a clock that the test moves."""

from collections.abc import Sequence
from copy import deepcopy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from beatd.catalog import Stored
from beatd.catch_up import settle
from beatd.dispatches.step_dispatch import StepDispatch
from beatd.edits.request_arguments import RequestArguments
from beatd.edits.run_requests import trigger
from beatd.engine import moves
from beatd.engine.lookahead import LOOK_BEFORE_DUE
from beatd.engine.tick import Tick
from beatd.errors import Deposed, ProgramTooOld, StoreEmptied, StoreError
from beatd.events import (
    BrokerAway,
    BrokerBack,
    ClockStepped,
    Overdue,
    Sent,
    StoreAway,
    StoreBack,
    Ticked,
    Unplannable,
    WentBack,
)
from beatd.ledger import Move, Request
from beatd.observers.last_state import LastState
from beatd.observers.metrics import Metrics
from beatd.observers.skip_lines import in_short
from beatd.publisher import MESSAGE_REFUSED, Outcome
from beatd.run import Run, task_id
from tests.fake_lease import holder
from tests.fleet import Broker, Fleet, Publisher


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


def hhmm(iso: list[str]) -> list[str]:
    return [text[11:16] for text in iso]


# on time


def test_each_moment_is_published_once(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    fleet.minutes(fleet.daemon(), 5)
    assert hhmm(fleet.broker.planned()) == ["00:01", "00:02", "00:03", "00:04", "00:05"]


def test_the_task_id_is_made_from_entry_and_moment_alone(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    fleet.minutes(fleet.daemon(), 1)
    (run,) = fleet.broker.arrived
    assert run.task_id == task_id(fleet.store.namespace, run.occurrence)


class Held:
    """A claim that was made ready, and what became of it."""

    def __init__(self) -> None:
        self.became = "held"

    def make(self) -> Sequence[bool]:
        self.became = "made"
        return [False]

    def drop(self) -> None:
        self.became = "dropped"


def held_in(fleet: Fleet) -> Held:
    claim = Held()
    fleet.hold = lambda *args: claim
    return claim


def just_before(fleet: Fleet) -> Tick:
    """The leader, in the last moment before an entry is due."""
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.live([engine], fleet.clock.now() + timedelta(minutes=1) - LOOK_BEFORE_DUE)
    return engine


def test_what_comes_next_is_made_ready_in_the_last_moment_before(fleet: Fleet) -> None:
    claim = held_in(fleet)
    engine = just_before(fleet)
    assert claim.became == "held"
    fleet.clock.advance(seconds=LOOK_BEFORE_DUE.total_seconds())
    engine.tick()
    assert claim.became == "made"


def test_a_tick_that_makes_nothing_ready_drops_what_was(fleet: Fleet) -> None:
    claim = held_in(fleet)
    engine = just_before(fleet)
    fleet.lease.held = None
    fleet.elections[engine].resign()
    engine.tick()
    assert claim.became == "dropped"


def test_a_lead_that_was_lost_drops_it_before_the_broker_is_asked(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = held_in(fleet)
    engine = just_before(fleet)
    asked: list[str] = []
    monkeypatch.setattr(Publisher, "reachable", lambda self: bool(asked.append(claim.became)))
    fleet.elections[engine].resign()
    engine.tick()
    assert asked == ["dropped"]


def test_a_tick_that_fails_drops_what_was_ready(fleet: Fleet) -> None:
    claim = held_in(fleet)
    engine = just_before(fleet)
    engine.noticed_change()
    fleet.store.upcoming = refuse  # type: ignore[method-assign, assignment]
    engine.tick()
    assert claim.became == "dropped"


def refuse(*args: object) -> None:
    raise StoreError("away")


def test_a_tick_returns_the_moment_to_look_again(fleet: Fleet) -> None:
    fleet.add("soon", every="1h", start=(fleet.clock.now() + timedelta(seconds=0.4)).isoformat())
    engine = fleet.daemon()
    fleet.elections[engine].campaign()
    due, again = fleet.clock.now() + timedelta(seconds=0.4), engine.tick()
    assert due - again == LOOK_BEFORE_DUE  # to look whether it still holds
    fleet.clock.advance(seconds=0.4 - LOOK_BEFORE_DUE.total_seconds())
    assert engine.tick() == due


def test_a_standby_publishes_nothing(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    leader, standby = fleet.daemon(), fleet.daemon()
    fleet.elections[leader].campaign()
    fleet.elections[standby].campaign()
    fleet.clock.advance(seconds=1)
    standby.tick()
    assert fleet.broker.arrived == []


def test_a_herd_is_published_in_batches(fleet: Fleet) -> None:
    fleet = Fleet(batch=100)
    for n in range(1050):
        fleet.add(f"entry {n:04}", every="1m")
    fleet.minutes(fleet.daemon(), 1)
    assert len(fleet.broker.arrived) == 1050
    assert len({run.task_id for run in fleet.broker.arrived}) == 1050


# who leads


def test_an_entry_first_seen_just_before_the_leader_dies_runs(fleet: Fleet) -> None:
    first, second = fleet.daemon(), fleet.daemon()
    fleet.live([first], fleet.clock.now() + timedelta(seconds=58.5))
    due = fleet.clock.now() + timedelta(seconds=1)
    fleet.add("last minute", at=due.isoformat())
    fleet.minutes(second, 1)
    assert fleet.broker.planned("last minute") == [due.isoformat()]


def test_a_takeover_neither_loses_nor_doubles(fleet: Fleet) -> None:
    fleet.add("tidy", every="10s", catch_up="all", catch_up_max=100)
    for _ in range(6):
        fleet.minutes(fleet.daemon(), 0.5)
    planned = fleet.broker.planned()
    assert len(planned) == len(set(planned))
    assert sorted(planned)[0][11:19] == "00:00:10" and len(planned) >= 17


def test_a_deposed_leader_publishes_nothing_more(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    old = fleet.daemon()
    fleet.live([old], fleet.clock.now() + timedelta(seconds=59.5))
    fleet.store.begin(holder("another"))  # the lock was wiped: the ledger knows a newer term
    fleet.clock.advance(seconds=0.5)
    old.tick()
    assert fleet.broker.arrived == []
    assert fleet.elections[old].lead() is None, "it stepped down"


def test_a_leader_that_is_too_old_for_a_migrated_store_becomes_standby(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("tidy", every="1m")
    old, new = fleet.daemon(), fleet.daemon()
    fleet.live([old], fleet.clock.now() + timedelta(seconds=59.5))

    def refuse(*_: object) -> None:
        raise ProgramTooOld("its schema 7 is for programs that know 5 or later; upgrade beatd")

    fleet.clock.advance(seconds=0.5)
    with monkeypatch.context() as migrated:
        migrated.setattr(fleet.store, "claim", refuse)
        old.tick()
    assert fleet.elections[old].lead() is None
    assert fleet.elections[new].campaign() is not None
    new.tick()
    assert [run.occurrence.name for run in fleet.broker.arrived] == ["tidy"]


def test_after_a_new_identity_nothing_is_published_under_an_old_id(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.live([engine], fleet.clock.now() + timedelta(seconds=59.5))
    fleet.store.new_identity()
    fleet.store.begin(holder("beatd store new-identity"))
    fleet.minutes(engine, 1)
    assert len(fleet.broker.arrived) == 1
    for run in fleet.broker.arrived:
        assert run.task_id == task_id(fleet.store.namespace, run.occurrence)


# late


def test_latest_publishes_one_and_records_the_others_as_one_stretch(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.minutes(engine, 1)
    fleet.clock.advance(minutes=10)
    fleet.minutes(engine, 0.1)
    assert hhmm(fleet.broker.planned())[-1] == "00:11"
    skipped = [record for record in fleet.history() if record.state == "skipped"]
    reason = "missed; only the latest was run (nobody led)"
    assert [(r.reason, r.count) for r in skipped] == [(reason, 9)]


def test_all_publishes_each_oldest_first(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m", catch_up="all", catch_up_max=1000)
    engine = fleet.daemon()
    fleet.minutes(engine, 1)
    fleet.clock.advance(minutes=10)
    fleet.minutes(engine, 0.5)
    assert hhmm(fleet.broker.planned()) == [f"00:{m:02}" for m in range(1, 12)]


def test_a_backlog_does_not_hold_up_what_is_due_now(fleet: Fleet) -> None:
    fleet.add("bulk", every="1s", catch_up="all", catch_up_max=10_000)
    engine = fleet.daemon()
    fleet.minutes(engine, 0.1)
    fleet.clock.advance(minutes=60)
    fleet.add("now", at=(fleet.clock.now() + timedelta(seconds=1)).isoformat())
    fleet.minutes(engine, 0.05)
    assert fleet.broker.planned("now") != []


def test_skip_publishes_only_within_grace(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m", catch_up="skip", grace="10s")
    engine = fleet.daemon()
    fleet.minutes(engine, 1)
    fleet.clock.advance(seconds=60 * 3 + 30)
    fleet.minutes(engine, 0.1)
    assert hhmm(fleet.broker.planned()) == ["00:01"]
    assert [r.count for r in fleet.history() if r.state == "skipped"] == [3]


def test_a_one_off_runs_once_and_is_finished(fleet: Fleet) -> None:
    fleet.add("once", at="2026-03-01T00:00:30Z")
    fleet.minutes(fleet.daemon(), 5)
    assert len(fleet.broker.arrived) == 1


def test_max_runs_ends_an_entry(fleet: Fleet) -> None:
    fleet.add("thrice", every="1m", max_runs=3)
    fleet.minutes(fleet.daemon(), 10)
    assert len(fleet.broker.arrived) == 3


# edits


def test_resuming_fires_no_past_moment(fleet: Fleet) -> None:
    entry = fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.minutes(engine, 1)
    fleet.put(entry, paused=True)
    fleet.minutes(engine, 10)
    fleet.put(entry)
    fleet.minutes(engine, 0.5)
    assert hhmm(fleet.broker.planned()) == ["00:01"]
    fleet.minutes(engine, 1)
    assert hhmm(fleet.broker.planned()) == ["00:01", "00:12"]


def test_an_edit_acknowledged_before_the_claim_is_honoured(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m", args=[1])
    engine = fleet.daemon()
    fleet.live([engine], fleet.clock.now() + timedelta(seconds=59.5))
    fleet.add("tidy", every="1m", args=[2])
    fleet.minutes(engine, 0.5)
    assert [run.entry.args for run in fleet.broker.arrived] == [(2,)]


def test_a_removed_entry_runs_no_more(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.live([engine], fleet.clock.now() + timedelta(seconds=59.5))
    fleet.remove("tidy")
    fleet.minutes(engine, 2)
    assert fleet.broker.arrived == []


# the broker away


def test_nothing_is_claimed_while_the_broker_is_away(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.minutes(engine, 1)
    fleet.broker.up = False
    fleet.minutes(engine, 3)
    assert [r.state for r in fleet.history()].count("claimed") <= 1
    fleet.broker.up = True
    fleet.minutes(engine, 0.1)
    assert hhmm(fleet.broker.planned()) == ["00:01", "00:04"]
    assert {type(e) for e in fleet.told} >= {BrokerAway, BrokerBack}
    assert [r for r in fleet.history() if r.state == "claimed"] == []


def test_what_went_by_while_the_broker_was_away_says_so(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    fleet.add("late", every="1m", catch_up="skip", grace="1s")
    engine = fleet.daemon()
    fleet.minutes(engine, 1)
    fleet.broker.up = False
    fleet.minutes(engine, 3.2)
    fleet.broker.up = True
    fleet.minutes(engine, 2)
    skipped = {r.name: r.reason for r in fleet.history() if r.state == "skipped"}
    assert skipped["tidy"] == "missed; only the latest was run (the broker was away)"
    assert skipped["late"].endswith("grace is 1 s (the broker was away)")
    assert in_short(skipped["late"]) == "late"


def test_the_run_that_finds_the_broker_away_says_so_too(fleet: Fleet) -> None:
    def hang(run: Run) -> Outcome:
        fleet.clock.advance(seconds=1)
        fleet.broker.up = False
        return Outcome("unsent", "timed out")

    fleet.add("tidy", every="2s")
    engine = fleet.daemon()
    fleet.minutes(engine, 0.1)
    fleet.broker.fault = hang
    fleet.minutes(engine, 0.05)
    fleet.broker.fault, fleet.broker.up = lambda run: None, True
    fleet.minutes(engine, 0.2)
    skipped = [r.reason for r in fleet.history() if r.state == "skipped"]
    assert set(skipped) == {"missed; only the latest was run (the broker was away)"}


def test_a_new_leader_asks_for_the_broker_before_it_claims(fleet: Fleet) -> None:
    fleet.add("tidy", every="1s")
    fleet.broker.up = False
    fleet.minutes(fleet.daemon(), 0.1)
    assert fleet.history() == []


def test_a_rejected_message_fails_alone(fleet: Fleet) -> None:
    fleet.add("bad", every="1m")
    fleet.add("good", every="1m")
    fleet.broker.fault = lambda run: (
        Outcome("rejected", "no route") if run.entry.name == "bad" else None
    )
    fleet.minutes(fleet.daemon(), 1)
    assert [run.entry.name for run in fleet.broker.arrived] == ["good"]
    assert [(r.state, r.reason) for r in fleet.history("bad")] == [("failed", "no route")]


def test_one_full_queue_holds_back_nothing_else_and_is_not_hammered(fleet: Fleet) -> None:
    fleet.add("full", every="1m")
    fleet.add("free", every="1s")
    asked: list[Run] = []

    def fault(run: Run) -> Outcome | None:
        if run.entry.name == "free":
            return None
        asked.append(run)
        return Outcome("unsent", "nack: the queue is full")

    fleet.broker.fault = fault
    fleet.minutes(fleet.daemon(), 1)
    asked.clear()
    fleet.minutes(fleet.daemon(), 0.5)
    assert len(fleet.broker.planned("free")) >= 89
    assert len(asked) <= 35, "about once a second"


def test_a_message_that_the_broker_refuses_does_not_look_like_a_broker_that_is_away(
    fleet: Fleet,
) -> None:
    fleet.add("full", every="1m")
    fleet.broker.fault = lambda run: Outcome("unsent", MESSAGE_REFUSED)
    engine = fleet.daemon()
    fleet.minutes(engine, 2)
    assert not [event for event in fleet.told if isinstance(event, BrokerAway)]
    fleet.broker.fault = lambda run: None
    fleet.minutes(engine, 0.1)
    assert fleet.broker.planned("full")


# outcomes unknown


def lose_once(fleet: Fleet, *, arrives: bool) -> None:
    lost: list[Run] = []

    def fault(run: Run) -> Outcome | None:
        if lost:
            return None
        lost.append(run)
        if arrives:
            fleet.broker.arrived.append(run)
        return Outcome("unknown", "no confirm")

    fleet.broker.fault = fault


def test_an_unknown_outcome_is_sent_again_under_the_same_id(fleet: Fleet) -> None:
    fleet.add("tidy", every="1h")
    lose_once(fleet, arrives=True)
    fleet.minutes(fleet.daemon(), 61)
    assert len(fleet.broker.arrived) == 2
    assert len({run.task_id for run in fleet.broker.arrived}) == 1
    assert [r.state for r in fleet.history()] == ["published"]


def test_an_unknown_outcome_is_left_alone_where_the_entry_says_so(fleet: Fleet) -> None:
    fleet.add("payroll", every="1h", on_unknown="skip")
    lose_once(fleet, arrives=True)
    fleet.minutes(fleet.daemon(), 61)
    assert len(fleet.broker.arrived) == 1
    assert [(r.state, r.reason, r.count) for r in fleet.history()] == [("skipped", "unknown", 1)]


def test_a_claim_left_by_a_dead_leader_is_settled_by_the_next(fleet: Fleet) -> None:
    fleet.add("tidy", every="1h")
    first, second = fleet.daemon(), fleet.daemon()
    fleet.broker.fault = lambda run: Outcome("unknown", "killed")
    fleet.live([first], fleet.clock.now() + timedelta(minutes=60))
    fleet.broker.fault = lambda run: None
    fleet.minutes(second, 1)
    assert len(fleet.broker.arrived) == 1


def test_a_run_that_may_have_been_sent_is_not_given_up_when_a_later_attempt_fails(
    fleet: Fleet,
) -> None:
    """Of a group, the dead leader may have sent a part."""
    fleet.add("tidy", every="10s")
    first, second = fleet.daemon(), fleet.daemon()
    fleet.broker.fault = lambda run: Outcome("unknown", "killed")
    start = fleet.clock.now()
    fleet.live([first], start + timedelta(seconds=10))
    torn = start + timedelta(seconds=10)
    fleet.broker.fault = lambda run: (
        Outcome("unsent", "no time left") if run.occurrence.planned == torn else None
    )
    fleet.minutes(second, 1)
    assert torn not in [run.occurrence.planned for run in fleet.broker.arrived]
    fleet.broker.fault = lambda run: None
    fleet.minutes(second, 1)
    assert torn in [run.occurrence.planned for run in fleet.broker.arrived]


def test_no_claim_is_settled_while_the_leader_before_may_be_publishing_it(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("tidy", every="1h")
    first, second, claim = fleet.daemon(), fleet.daemon(), fleet.store.claim
    fleet.live([first], fleet.clock.now() + timedelta(minutes=59, seconds=59.9))

    def slow(moves: Sequence[Move], *rest: Any) -> Sequence[bool]:
        made = claim(moves, *rest)
        monkeypatch.setattr(fleet.store, "claim", claim)
        for _ in range(7):
            fleet.clock.advance(seconds=0.7)
            fleet.elections[first].campaign()  # on a thread of its own, it is not held up
        return made

    def lose_the_lead(run: Run) -> None:
        fleet.broker.fault = lambda run: None
        fleet.elections[first].resign()
        fleet.minutes(second, 4.9 / 60)
        assert fleet.broker.arrived == [], "the first is at it, within its time-out"

    monkeypatch.setattr(fleet.store, "claim", slow)
    fleet.broker.fault = lose_the_lead
    fleet.clock.advance(seconds=0.1)
    fleet.elections[first].campaign()
    first.tick()
    fleet.minutes(second, 1)
    assert len(fleet.broker.arrived) == 1
    assert [record.state for record in fleet.history()] == ["published"]


# the store away


def test_a_store_that_is_away_is_waited_for(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.minutes(engine, 1)

    def away(*_: object) -> None:
        raise StoreError("store: connection refused")

    with monkeypatch.context() as patch:
        for method in ("upcoming", "version", "claim"):
            patch.setattr(fleet.store, method, away)
        fleet.minutes(engine, 2)
    fleet.minutes(engine, 0.2)
    assert hhmm(fleet.broker.planned()) == ["00:01", "00:03"]
    assert {type(event) for event in fleet.told} >= {StoreAway, StoreBack}
    assert StoreAway("store: connection refused") in fleet.told


def test_what_was_published_is_recorded_when_the_store_is_back(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()

    def away(results: object) -> None:
        raise StoreError("store: connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(fleet.store, "record", away)
        fleet.minutes(engine, 1)
    fleet.minutes(engine, 0.1)
    assert len(fleet.broker.arrived) == 1
    assert [r.state for r in fleet.history()] == ["published"]


def test_a_standby_says_once_that_the_store_is_away_and_once_that_it_is_back(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("tidy", every="1h")
    fleet.lease.held = (holder("another"), float("inf"))
    standby = fleet.daemon()
    fleet.minutes(standby, 0.1)

    def away(*_: object) -> None:
        raise StoreError("store: connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(fleet.store, "upcoming", away)
        fleet.minutes(standby, 0.05)
        assert not standby.store_outage.over, "before anything is overdue, too"
        fleet.minutes(standby, 0.5)
        assert not standby.store_outage.over
    fleet.minutes(standby, 0.05)
    assert standby.store_outage.over
    told = [type(event) for event in fleet.told if isinstance(event, StoreAway | StoreBack)]
    assert told == [StoreAway, StoreBack]


def test_a_leader_that_waits_for_the_broker_knows_whether_the_store_answers(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.minutes(engine, 1)

    def away(*_: object) -> None:
        raise StoreError("store: connection refused")

    fleet.broker.up = False
    fleet.minutes(engine, 1)
    with monkeypatch.context() as patch:
        for method in ("upcoming", "version", "claim"):
            patch.setattr(fleet.store, method, away)
        fleet.minutes(engine, 0.1)
        assert not engine.store_outage.over and not engine.broker_outage.over
    fleet.minutes(engine, 0.1)
    assert engine.store_outage.over and not engine.broker_outage.over
    told = [type(event) for event in fleet.told if isinstance(event, StoreAway | StoreBack)]
    assert told == [StoreAway, StoreBack]


def test_a_store_that_lost_a_claim_is_said_to_have_gone_back(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.minutes(engine, 1.5)
    replica = deepcopy(fleet.store._tables)
    fleet.minutes(engine, 1)
    fleet.store._tables = replica
    engine.noticed_change()  # as after a connection that broke
    fleet.minutes(engine, 1)
    assert hhmm(fleet.broker.planned()) == ["00:01", "00:02", "00:02", "00:03"]
    assert len({run.task_id for run in fleet.broker.arrived}) == 3
    (told,) = [event for event in fleet.told if isinstance(event, WentBack)]
    assert "'tidy' was claimed for 2026-03-01 00:02:00" in told.reason


def test_a_loss_is_noticed_though_another_entry_ran_after_it(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    fleet.add("mail", every="1m", start="2026-02-28T23:59:30Z")
    engine = fleet.daemon()
    fleet.minutes(engine, 1.75)
    replica = deepcopy(fleet.store._tables)
    fleet.minutes(engine, 0.5)
    assert hhmm(fleet.broker.planned())[-1] == "00:02"
    fleet.store._tables = replica  # it lost the run of "tidy" at 00:02
    fleet.minutes(engine, 0.3)  # "mail" is due, as the daemon has it in memory
    engine.noticed_change()
    fleet.minutes(engine, 0.3)
    (told,) = [event for event in fleet.told if isinstance(event, WentBack)]
    assert "'tidy' was claimed for 2026-03-01 00:02:00" in told.reason


def test_a_loss_is_noticed_before_the_entry_is_due_by_a_clock_that_stepped_back(
    fleet: Fleet,
) -> None:
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.minutes(engine, 1.5)
    replica = deepcopy(fleet.store._tables)
    fleet.minutes(engine, 1)
    fleet.store._tables = replica
    fleet.clock.step(seconds=-45)
    engine.noticed_change()
    fleet.minutes(engine, 0.1)
    assert [event for event in fleet.told if isinstance(event, WentBack)]


# the clock


def test_a_clock_that_steps_ahead_and_back_repeats_nothing(fleet: Fleet) -> None:
    fleet.add("hourly", every="1h")
    engine = fleet.daemon()
    fleet.minutes(engine, 61)
    fleet.clock.step(hours=3)
    fleet.minutes(engine, 1)
    fleet.clock.step(hours=-3)
    fleet.minutes(engine, 240)
    assert hhmm(fleet.broker.planned()) == ["01:00", "04:00", "05:00"]
    assert [round(e.seconds) for e in fleet.told if isinstance(e, ClockStepped)] == [10800, -10800]


def test_a_machine_that_slept_runs_the_latest(fleet: Fleet) -> None:
    fleet.add("hourly", every="1h")
    engine = fleet.daemon()
    fleet.minutes(engine, 61)
    fleet.clock.advance(hours=7)
    fleet.minutes(engine, 1)
    assert hhmm(fleet.broker.planned()) == ["01:00", "08:00"]


# asked for by hand


def test_a_trigger_is_a_new_task_and_leaves_the_plan_alone(fleet: Fleet) -> None:
    fleet.add("nightly", cron="0 2 * * *")
    now = fleet.clock.now()
    fleet.store.add_requests([Request("r1", "nightly", "trigger", now, now, 1)])
    fleet.minutes(fleet.daemon(), 1)
    (run,) = fleet.broker.arrived
    assert run.occurrence.request == "r1"
    fleet.minutes(fleet.daemon(), 121)
    assert hhmm(fleet.broker.planned())[-1] == "02:00"


def test_a_trigger_with_arguments_has_them_in_its_own_run_only(fleet: Fleet) -> None:
    fleet.add("hourly", every="1h", args=[1], kwargs={"full": True})
    given = RequestArguments(args=[7, Decimal("0.1")])
    id = trigger(fleet.store, "hourly", fleet.clock.now(), arguments=given, marks=fleet.store.marks)
    fleet.minutes(fleet.daemon(), 61)
    by_hand, planned = fleet.broker.arrived
    assert (by_hand.task_id, by_hand.entry.args) == (id, (7, Decimal("0.1")))
    assert by_hand.entry.kwargs == planned.entry.kwargs == {"full": True}
    assert planned.entry.args == (1,)


@pytest.mark.parametrize(
    "damaged",
    ['{"args": 1, "kwargs": null}', '{"args": null, "kwargs": [1]}', "[" * 5000, "[]", "\x00"],
)
def test_damaged_arguments_of_a_trigger_delay_no_run(fleet: Fleet, damaged: str) -> None:
    fleet.add("hourly", every="1h", args=[1])
    fleet.add("often", every="10s")
    marks, now = fleet.store.marks, fleet.clock.now()
    id = trigger(
        fleet.store, "hourly", now, id="x", arguments=RequestArguments(args=[7]), marks=marks
    )
    marks.write_arguments("args-x", damaged, now)
    fleet.minutes(fleet.daemon(), 0.5)
    assert [run.entry.args for run in fleet.broker.arrived if run.task_id == id] == [(1,)]
    assert len(fleet.broker.arrived) == 4


def test_the_next_leader_resends_a_trigger_with_its_arguments(fleet: Fleet) -> None:
    fleet.add("hourly", every="1h", args=[1])
    given = RequestArguments(args=[7])
    trigger(fleet.store, "hourly", fleet.clock.now(), arguments=given, marks=fleet.store.marks)
    fleet.broker.fault = lambda run: Outcome("unknown", "the connection was lost")
    fleet.minutes(fleet.daemon(), 0.1)
    fleet.broker.fault = lambda run: None
    fleet.clock.advance(seconds=3)  # the lease of the first daemon ends
    fleet.minutes(fleet.daemon(), 1)
    assert [run.entry.args for run in fleet.broker.arrived] == [(7,)]


def test_a_backfill_publishes_every_moment_asked_for(fleet: Fleet) -> None:
    fleet.add("hourly", every="1h")
    now = fleet.clock.now()
    first = now - timedelta(hours=3)
    fleet.store.add_requests([Request("r1", "hourly", "backfill", first, now, 1)])
    fleet.minutes(fleet.daemon(), 1)
    assert hhmm(fleet.broker.planned()) == ["21:00", "22:00", "23:00", "00:00"]


def test_a_backfill_is_worked_off_in_batches(fleet: Fleet) -> None:
    fleet.add("hourly", every="1h")
    now = fleet.clock.now()
    fleet.store.add_requests(
        [Request("r1", "hourly", "backfill", now - timedelta(hours=499), now, 1)]
    )
    fleet.minutes(fleet.daemon(), 0.1)
    assert len(fleet.broker.arrived) == 500
    batches = [event for event in fleet.told if isinstance(event, Sent)]
    assert len(batches) <= 6


def test_what_is_asked_by_hand_is_due_when_it_was_asked_for(fleet: Fleet) -> None:
    fleet.add("hourly", every="1h", jitter="30m")
    now = fleet.clock.now()
    fleet.store.add_requests([Request("r1", "hourly", "trigger", now, now, 1)])
    fleet.store.add_requests([Request("r2", "hourly", "backfill", now, now, 1)])
    fleet.clock.advance(seconds=2)
    fleet.minutes(fleet.daemon(), 0.01)
    assert [record.late for record in fleet.history()] == [2.0, 2.0]


def test_what_is_asked_by_hand_is_never_late(fleet: Fleet) -> None:
    state = LastState()
    fleet.add("hourly", every="1h")
    now = fleet.clock.now()
    fleet.store.add_requests(
        [Request("r1", "hourly", "backfill", now - timedelta(hours=9), now, 1)]
    )
    fleet.minutes(fleet.daemon(), 0.1)
    for event in fleet.told:
        state(event)
    assert state.lateness()["max"] is None


# those who watch


def test_a_standby_reports_what_its_leader_owes(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    leader, standby = fleet.daemon(), fleet.daemon()
    fleet.elections[leader].campaign()
    fleet.clock.advance(minutes=2)
    fleet.elections[leader].campaign()
    fleet.elections[standby].campaign()
    standby.tick()
    assert [event.name for event in fleet.told if isinstance(event, Overdue)] == ["tidy"]


def test_a_standby_takes_back_what_it_reported_once_its_leader_is_on_time(fleet: Fleet) -> None:
    fleet.add("tidy", every="1m")
    leader, standby = fleet.daemon(), fleet.daemon()
    metrics, state = Metrics(), LastState()
    fleet.elections[leader].campaign()
    fleet.clock.advance(minutes=2)
    for _ in range(3):
        for engine in (leader, standby):
            fleet.elections[engine].campaign()
        standby.tick()
        fleet.clock.advance(seconds=1.1)
    assert [type(event) for event in fleet.told].count(Overdue) == 1, "and not once a second"
    fleet.elections[leader].campaign()
    leader.tick()
    standby.tick()
    for event in fleet.told:
        metrics(event)
        state(event)
    assert state.overdue == "" and metrics.overdue._value.get() == 0


def test_an_entry_whose_plan_fails_stops_nobody_else(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("good", every="1m")
    fleet.add("poison", every="50s")
    engine, tried = fleet.daemon(), list[str]()

    def fails(row: Stored, *rest: Any) -> Any:
        if row.entry.name == "poison":
            tried.append(row.entry.name)
            raise OverflowError("date value out of range")
        return settle(row, *rest)

    monkeypatch.setattr(moves, "settle", fails)
    claim, sizes = fleet.store.claim, list[int]()

    def sized(made: Sequence[Move], *rest: Any) -> Sequence[bool]:
        sizes.append(len(made))
        return claim(made, *rest)

    monkeypatch.setattr(fleet.store, "claim", sized)
    fleet.minutes(engine, 3)
    assert 0 not in sizes
    assert [run.entry.name for run in fleet.broker.arrived] == ["good"] * 3
    told = [event for event in fleet.told if isinstance(event, Unplannable)]
    assert told == [Unplannable("poison", "OverflowError: date value out of range")]
    assert len(tried) == 1, "a search that fails takes its time, and is not repeated"


# what is remembered


class Forgetful(Publisher):
    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.forgotten = list[str]()

    def forget(self, names: Sequence[str]) -> None:
        self.forgotten += sorted(names)


def remembering(fleet: Fleet) -> tuple[Tick, Forgetful]:
    engine, publisher = fleet.daemon(), Forgetful(fleet.broker)
    engine._lookahead._publisher = publisher
    return engine, publisher


def test_an_entry_that_is_removed_leaves_nothing_in_a_cache(fleet: Fleet) -> None:
    fleet.add("stays", every="1s")
    fleet.add("goes", every="1s")
    engine, publisher = remembering(fleet)
    fleet.minutes(engine, 0.1)
    assert set(fleet.store._reader._decoded) == {"stays", "goes"} and not publisher.forgotten
    fleet.remove("goes")
    engine.noticed_change()
    fleet.minutes(engine, 0.1)
    assert set(fleet.store._reader._decoded) == {"stays"}
    assert publisher.forgotten == ["goes"]


def test_an_entry_that_is_removed_at_its_moment_leaves_nothing_in_a_cache(
    fleet: Fleet,
) -> None:
    fleet.add("goes", every="1m")
    engine, publisher = remembering(fleet)
    fleet.minutes(engine, 1)
    fleet.remove("goes")  # the engine is not told
    fleet.minutes(engine, 1)
    assert not fleet.store._reader._decoded and set(publisher.forgotten) == {"goes"}
    assert len(fleet.broker.arrived) == 1


def test_entries_beyond_what_is_read_ahead_are_not_forgotten(fleet: Fleet) -> None:
    for number in range(100):
        fleet.add(f"hourly-{number:02}", every="1h")
    fleet.add("busy", every="1s")
    engine, publisher = remembering(fleet)
    fleet.minutes(engine, 61)
    assert len(fleet.store._reader._decoded) == 101 and not publisher.forgotten


def test_another_dispatch_knows_what_was_not_sent(fleet: Fleet) -> None:
    engine = fleet.daemon()
    publisher = Publisher(fleet.broker)
    one, other = (
        StepDispatch(ledger=fleet.store, publisher=publisher, clock=fleet.clock) for _ in range(2)
    )
    engine.use(one)
    one.unsent["id"] = (fleet.clock.now(), 1)
    engine.use(other)
    assert other.unsent == one.unsent


def raising(trouble: Exception) -> Any:
    def fails(*args: object) -> None:
        raise trouble

    return fails


def leading(fleet: Fleet) -> Tick:
    fleet.add("tidy", every="1m")
    engine = fleet.daemon()
    fleet.elections[engine].campaign()
    engine.tick()
    return engine


def test_each_tick_tells_when_it_was_and_when_the_next_is(fleet: Fleet) -> None:
    engine = leading(fleet)
    again = engine.tick()
    assert fleet.told[-1] == Ticked(fleet.clock.now(), again)


def test_a_daemon_that_was_deposed_ticks_again_after_a_ttl(fleet: Fleet) -> None:
    engine = leading(fleet)
    engine.noticed_change()
    fleet.store.upcoming = raising(Deposed("a newer term"))  # type: ignore[method-assign]
    assert engine.tick() == fleet.clock.now() + timedelta(seconds=2)
    assert fleet.elections[engine].lead() is None


def test_a_store_that_is_empty_is_told_of(fleet: Fleet) -> None:
    engine = leading(fleet)
    engine.noticed_change()
    fleet.store.upcoming = raising(StoreEmptied("its data are gone"))  # type: ignore[method-assign]
    engine.tick()
    assert WentBack("its data are gone") in fleet.told


def test_a_request_that_was_noticed_runs_at_once(fleet: Fleet) -> None:
    engine = leading(fleet)
    engine.tick()
    trigger(fleet.store, "tidy", fleet.clock.now())
    engine.tick()
    assert fleet.broker.arrived == []
    engine.noticed_change()
    engine.tick()
    assert [run.origin for run in fleet.broker.arrived] == ["trigger"]
