"""Entries that do not allow overlap, through whole ticks: what is running decides what is due."""

from datetime import timedelta
from typing import Any

import pytest

from beatd.changes import Author
from beatd.edits import pausing
from beatd.edits.run_requests import trigger
from beatd.engine.tick import Tick
from beatd.events import Overdue, Refused
from beatd.outcome import Delivery, OutcomeState
from beatd.publisher import Outcome
from beatd.publishers.memory import MemoryPublisher
from beatd.run import Run
from tests.fleet import Fleet


def fleet_with(name: str = "a", **plain: Any) -> tuple[Fleet, Tick]:
    fleet = Fleet()
    fleet.add(name, **{"every": "1m", "overlap": "skip", "max_run": "1h", **plain})
    return fleet, fleet.daemon()


def test_runs_that_an_earlier_run_keeps_from_running_name_that_run_alone() -> None:
    fleet, engine = fleet_with()
    fleet.minutes(engine, 1)
    fleet.clock.advance(minutes=10)
    fleet.minutes(engine, 0.1)
    (record,) = [one for one in fleet.history() if one.state == "skipped"]
    id = fleet.broker.arrived[-1].task_id
    assert record.reason == f"still running: {id} since 2026-03-01T00:01:00+00:00"


def report(fleet: Fleet, engine: Tick, state: OutcomeState = "succeeded") -> None:
    """A worker reports the end of the last run that arrived, and the beat is woken."""
    run, now = fleet.broker.arrived[-1], fleet.clock.now()
    delivery = Delivery(
        task_id=run.task_id,
        delivery=f"delivery of {run.task_id}",
        name=run.entry.name,
        planned=run.occurrence.planned,
        state=state,
        at=now,
    )
    assert list(fleet.store.write_outcomes([delivery], now)) == ["written"]
    engine.noticed_change()


def minutes(fleet: Fleet) -> list[int]:
    return [run.occurrence.planned.minute for run in fleet.broker.arrived]


def reasons(fleet: Fleet) -> list[tuple[int, str]]:
    lines = [line for line in fleet.history() if line.state == "skipped"]
    return sorted((line.planned.minute, line.reason.split(":")[0]) for line in lines)


def test_moments_are_skipped_until_the_run_has_ended() -> None:
    fleet, engine = fleet_with()
    fleet.minutes(engine, 3.5)
    report(fleet, engine)
    fleet.minutes(engine, 1)
    assert minutes(fleet) == [1, 4]
    assert reasons(fleet) == [(2, "still running"), (3, "still running")]
    (line,) = [line for line in fleet.history() if line.planned.minute == 2]
    id = fleet.broker.arrived[0].task_id
    assert line.reason == f"still running: {id} since 2026-03-01T00:01:00+00:00"


def test_a_run_that_ended_since_the_plan_was_read_skips_nothing() -> None:
    fleet, engine = fleet_with()
    for _ in range(3):
        fleet.minutes(engine, 1.25)
        report(fleet, engine)
        engine._lookahead.is_stale = False  # nobody woke the beat
    assert minutes(fleet) == [1, 2, 3]
    assert [event for event in fleet.told if isinstance(event, Refused)] == []


def test_a_moment_that_waits_runs_as_soon_as_the_run_has_ended() -> None:
    fleet, engine = fleet_with(overlap="queue")
    fleet.minutes(engine, 3.5)
    report(fleet, engine)
    fleet.minutes(engine, 0.1)
    assert minutes(fleet) == [1, 3] and fleet.broker.arrived[-1].origin == "planned"
    assert reasons(fleet) == [(2, "still running")]
    (late,) = [line.late for line in fleet.history() if line.planned.minute == 3]
    assert late is not None and late < 0.1, "it counts from the end of the run before"


def test_a_moment_that_waits_is_not_overdue() -> None:
    fleet, leader = fleet_with(overlap="queue")
    standby = fleet.daemon()
    fleet.live([leader, standby], fleet.clock.now() + timedelta(minutes=5))
    assert minutes(fleet) == [1]
    assert [event for event in fleet.told if isinstance(event, Overdue)] == []


def test_a_pause_drops_what_waits() -> None:
    fleet, engine = fleet_with(overlap="queue")
    fleet.minutes(engine, 2.5)
    pausing.pause(fleet.store, ["a"], fleet.clock.now, Author("ann"))
    engine.noticed_change()
    report(fleet, engine)
    fleet.minutes(engine, 2)
    pausing.resume(fleet.store, ["a"], fleet.clock.now, Author("ann"))
    engine.noticed_change()
    fleet.minutes(engine, 1)
    assert minutes(fleet) == [1, 5]
    assert reasons(fleet) == [(2, "paused")]


def test_an_edit_of_when_drops_what_waits() -> None:
    fleet, engine = fleet_with(overlap="queue")
    fleet.minutes(engine, 2.5)
    fleet.add("a", every="1m", phase="50s", overlap="queue", max_run="1h")
    report(fleet, engine)
    fleet.minutes(engine, 0.2)
    assert minutes(fleet) == [1], "and nothing runs early"
    fleet.minutes(engine, 1)
    assert minutes(fleet) == [1, 2]


def test_replace_ends_the_running_run_first() -> None:
    fleet, engine = fleet_with(overlap="replace")
    fleet.minutes(engine, 2.05)
    publisher = engine._lookahead._publisher
    assert isinstance(publisher, MemoryPublisher)
    assert list(publisher.revoked) == [fleet.broker.arrived[0].task_id]
    assert minutes(fleet) == [1]
    report(fleet, engine, "revoked")
    fleet.minutes(engine, 0.05)
    assert minutes(fleet) == [1, 2] and reasons(fleet) == []


def test_a_run_that_goes_on_is_revoked_again_while_its_worker_names_it() -> None:
    fleet, engine = fleet_with(overlap="replace")
    fleet.minutes(engine, 2.05)
    (run,) = fleet.broker.arrived
    for _ in range(10):
        fleet.store.prolong([run.task_id], fleet.clock.now() + timedelta(seconds=60))
        engine.noticed_change()
        fleet.minutes(engine, 0.05)
    publisher = engine._lookahead._publisher
    assert isinstance(publisher, MemoryPublisher)
    assert list(publisher.revoked) == [run.task_id] * 4, "once in ten seconds"
    assert minutes(fleet) == [1]


def test_replace_revokes_a_run_of_which_nobody_reports_until_max_run() -> None:
    # Its message may wait in the broker, and a worker that starts later does not hear the revoke.
    fleet, engine = fleet_with(overlap="replace", max_run="150s")
    fleet.minutes(engine, 3.4)
    publisher = engine._lookahead._publisher
    assert isinstance(publisher, MemoryPublisher)
    assert minutes(fleet) == [1]
    assert set(publisher.revoked) == {fleet.broker.arrived[0].task_id}
    assert len(publisher.revoked) == 9, "once in ten seconds"
    fleet.minutes(engine, 0.2)
    assert minutes(fleet) == [1, 3]


def test_a_message_that_is_rejected_is_not_running() -> None:
    fleet, engine = fleet_with()
    fleet.broker.fault = lambda run: Outcome("rejected", "too large")
    fleet.minutes(engine, 3.5)
    assert [line.state for line in fleet.history()] == ["failed"] * 3


def test_a_message_that_could_not_be_sent_is_sent_later_and_runs_alone() -> None:
    fleet, engine = fleet_with()
    full_until = fleet.clock.now() + timedelta(minutes=2, seconds=30)

    def full(run: Run) -> Outcome | None:
        is_full = fleet.clock.now() < full_until
        return Outcome("unsent", "the queue is full") if is_full else None

    fleet.broker.fault = full
    fleet.minutes(engine, 3.5)
    assert [run.origin for run in fleet.broker.arrived] == ["resend"]
    assert minutes(fleet) == [1] and reasons(fleet) == [(2, "still running"), (3, "still running")]


@pytest.mark.parametrize("overlap", ["skip", "queue", "replace", "allow"])
@pytest.mark.parametrize("state", ["received", "started", "succeeded"])
def test_a_run_that_a_worker_has_reported_is_not_sent_again(
    overlap: str, state: OutcomeState
) -> None:
    fleet, leader = fleet_with(overlap=overlap, every="1d", phase="1m")

    def dies(run: Run) -> Outcome:
        fleet.broker.arrived.append(run)
        return Outcome("unknown", "no confirm came")

    fleet.broker.fault = dies
    fleet.minutes(leader, 1.02)
    fleet.broker.fault = lambda run: None
    report(fleet, leader, state)
    fleet.minutes(leader, 5)
    assert minutes(fleet) == [1]
    (line,) = fleet.history()
    assert (line.state, line.origin) == ("published", "planned")
    assert list(fleet.store.unknowns(fleet.clock.now(), 9)) == []


def test_a_trigger_waits_for_the_end_of_the_run() -> None:
    fleet, engine = fleet_with(overlap="queue")
    fleet.minutes(engine, 1.2)
    trigger(fleet.store, "a", fleet.clock.now())
    fleet.minutes(engine, 0.2)
    assert [run.origin for run in fleet.broker.arrived] == ["planned"]
    report(fleet, engine)
    fleet.minutes(engine, 0.1)
    assert [run.origin for run in fleet.broker.arrived] == ["planned", "trigger"]


def test_a_trigger_revokes_a_run_that_goes_on_once_in_ten_seconds() -> None:
    fleet, engine = fleet_with(overlap="replace", every="1d", phase="1m")
    fleet.minutes(engine, 1.02)
    (run,) = fleet.broker.arrived
    trigger(fleet.store, "a", fleet.clock.now())
    for _ in range(25):
        fleet.store.prolong([run.task_id], fleet.clock.now() + timedelta(seconds=60))
        fleet.minutes(engine, 1 / 60)
    publisher = engine._lookahead._publisher
    assert isinstance(publisher, MemoryPublisher)
    assert list(publisher.revoked) == [run.task_id] * 3
    report(fleet, engine, "revoked")
    fleet.minutes(engine, 0.05)
    assert [run.origin for run in fleet.broker.arrived] == ["planned", "trigger"]


def test_requests_that_wait_do_not_hold_up_those_of_other_entries() -> None:
    fleet, engine = fleet_with(overlap="queue")
    fleet.add("other", cron="0 0 1 1 *")
    fleet.minutes(engine, 1.2)
    for n in range(120):
        trigger(fleet.store, "a", fleet.clock.now() + timedelta(milliseconds=n))
    trigger(fleet.store, "other", fleet.clock.now())
    fleet.minutes(engine, 0.1)
    assert len(fleet.broker.planned("other")) == 1


def test_a_trigger_has_its_turn_though_a_moment_of_the_plan_always_waits() -> None:
    fleet, engine = fleet_with(overlap="queue", max_run="150s")
    fleet.minutes(engine, 1.2)
    trigger(fleet.store, "a", fleet.clock.now())
    fleet.minutes(engine, 8)
    assert [run.origin for run in fleet.broker.arrived] == [
        "planned", "trigger", "planned", "planned",
    ]  # fmt: skip


def test_a_run_that_ends_shortly_before_it_is_given_up_makes_nothing_early() -> None:
    fleet, engine = fleet_with(overlap="queue", max_run="121s")
    fleet.minutes(engine, 2 + 59.5 / 60)
    assert minutes(fleet) == [1]
    report(fleet, engine)
    fleet.minutes(engine, 0.2 / 60)
    assert minutes(fleet) == [1, 2], "it is not 00:03 yet"
