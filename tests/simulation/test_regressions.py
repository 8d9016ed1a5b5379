"""Bugs that the simulation found, each as the shortest scenario that shows it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from beatd.catalog import Query
from beatd.changes import Author
from beatd.definition import entry_from
from beatd.dispatches.step_dispatch import StepDispatch
from beatd.edits import editing
from beatd.edits.pausing import pause
from beatd.edits.run_requests import trigger
from beatd.errors import StoreError
from beatd.ledger import Move
from beatd.publisher import Outcome
from beatd.run import Run
from tests.fleet import Fleet
from tests.simulation.deployment import Deployment
from tests.simulation.faults import NoFaults
from tests.simulation.planted_bugs import planted
from tests.simulation.versions import NEW, OLD, ZONED
from tests.simulation.world import START, Host, Process, Violation


def test_a_claim_that_failed_once_is_not_taken_as_unsent_when_it_is_made_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = Fleet(publish_timeout=5.0)
    fleet.add("payroll", every="1m", on_unknown="skip")
    engine, claim, failures = fleet.daemon(), fleet.store.claim, [StoreError("connection refused")]

    def fail_once(moves: Sequence[Move], *rest: Any) -> Sequence[bool]:
        if moves[0].of == "plan" and failures:
            raise failures.pop()
        return claim(moves, *rest)

    def lose_the_reply(run: Run) -> Outcome:
        fleet.broker.arrived.append(run)
        return Outcome("unknown", "no answer")

    monkeypatch.setattr(fleet.store, "claim", fail_once)
    fleet.broker.fault = lose_the_reply
    fleet.minutes(engine, 1.5)
    assert fleet.broker.planned() == ["2026-03-01T00:01:00+00:00"]


def test_several_backlogs_of_one_entry_together_keep_to_its_max_runs() -> None:
    fleet = Fleet()
    fleet.add("bulk", every="10s", catch_up="all", catch_up_max=5, max_runs=4)
    engine = fleet.daemon()
    for _ in range(2):
        fleet.clock.advance(seconds=25)
        fleet.elections[engine].campaign()
        engine._send_open_claims = lambda *args: None  # type: ignore[method-assign]
        engine.tick()
        engine.tick()
    del engine._send_open_claims
    fleet.minutes(engine, 1)
    assert len(fleet.store.requests(10)) == 0
    assert len(fleet.broker.planned("bulk")) == 4


def test_a_backlog_that_goes_out_before_a_due_moment_counts_for_its_max_runs() -> None:
    fleet = Fleet()
    fleet.add("alone", every="1h", phase="5s", overlap="queue", max_run="1h")
    fleet.add("bulk", every="10s", catch_up="all", catch_up_max=5, max_runs=3)
    engine = fleet.daemon()
    fleet.minutes(engine, 15 / 60)
    trigger(fleet.store, "alone", fleet.clock.now())  # held, so that requests go first
    engine.noticed_change()
    fleet.minutes(engine, 1 / 60)
    assert fleet.broker.planned("bulk") == ["2026-03-01T00:00:10+00:00"]
    assert engine._open_claims.are_held
    fleet.clock.advance(seconds=23.99)  # to 39.99 s, just before the next moment
    fleet.minutes(engine, 1)
    assert len(fleet.broker.planned("bulk")) == 3


def test_a_standby_tells_of_what_it_published_before_it_lost_the_lead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = Fleet()
    fleet.add("report", every="1m", on_unknown="skip")
    first, second, record = fleet.daemon(), fleet.daemon(), fleet.store.record
    fleet.live([first], fleet.clock.now())

    def away(results: Any) -> None:
        fleet.elections[first].resign()
        fleet.elections[second].campaign()
        monkeypatch.setattr(fleet.store, "record", record)
        raise StoreError("connection refused")

    monkeypatch.setattr(fleet.store, "record", away)
    fleet.minutes(first, 1)
    fleet.clock.advance(seconds=1)
    fleet.live([second, first], fleet.clock.now())
    assert [line.state for line in fleet.history("report")] == ["published"]


def test_requests_go_out_however_many_messages_wait_for_a_full_queue() -> None:
    fleet = Fleet(batch=10)
    for n in range(15):
        fleet.add(f"stuck {n}", every="1m", catch_up="skip", grace="1h", options={"queue": "full"})
    fleet.add("asked for", cron="0 0 1 1 *")
    engine = fleet.daemon()
    fleet.broker.fault = lambda run: (
        Outcome("unsent", "the queue is full") if run.entry.options else None
    )
    fleet.minutes(engine, 1.5)
    trigger(fleet.store, "asked for", fleet.clock.now())
    engine.noticed_change()
    fleet.minutes(engine, 0.2)
    assert len(fleet.broker.planned("asked for")) == 1
    assert isinstance(engine._dispatch, StepDispatch)


def test_a_lease_granted_too_late_deposes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = Fleet()
    slow, quick = (fleet.elections[fleet.daemon()] for _ in range(2))
    take = fleet.lease.take

    def answer_late(*asked: Any) -> Any:
        answer = take(*asked)
        monkeypatch.setattr(fleet.lease, "take", take)
        fleet.clock.advance(seconds=2.5)
        assert quick.campaign() is not None
        return answer

    monkeypatch.setattr(fleet.lease, "take", answer_late)
    assert slow.campaign() is None
    leads = fleet.store.term()
    assert leads is not None and leads[1].name == "daemon-2"


def test_a_store_that_fails_at_the_first_calls_ends_no_daemon() -> None:
    failed: list[str] = []

    class FirstCallsFail(NoFaults):
        def strikes(self, process: Process, place: str, answered: bool) -> str:
            if answered or not place.startswith("store.") or len(failed) == 3:
                return ""
            failed.append(place)
            return "error"

    deployment = Deployment(FirstCallsFail())
    deployment.start(Host("a"))
    deployment.world.run(10.0)
    assert len(failed) == 3
    assert len(deployment.leaders()) == 1
    deployment.world.end()


def test_one_slow_reply_does_not_set_the_clock() -> None:
    class SlowClock(NoFaults):
        def strikes(self, process: Process, place: str, answered: bool) -> str:
            slow = place == "store.now" and answered and process.boundaries > 50
            return "slow 3" if slow else ""

    deployment = Deployment(SlowClock())
    process = deployment.start(Host("a", skew=-50.0))
    for second in range(2, 12):
        deployment.world.run(second)
        assert abs((process.daemon.now() - deployment.world.now()).total_seconds()) < 0.1
    deployment.world.end()


def test_nobody_leads_by_a_clock_that_was_never_set() -> None:
    class TellsNoTime(NoFaults):
        def strikes(self, process: Process, place: str, answered: bool) -> str:
            return "error" if place == "store.now" and deployment.world.elapsed() < 1.0 else ""

    deployment = Deployment(TellsNoTime())
    editing.add(
        deployment.truth.store,
        entry_from("hourly", {"task": "t", "every": "1h"}),
        deployment.world.now,
    )
    deployment.start(Host("a", skew=3599.0))
    deployment.world.run(5.0)
    assert len(deployment.leaders()) == 1 and deployment.truth.arrived == []
    deployment.world.end()


def test_a_slow_first_reply_makes_nothing_early() -> None:
    class SlowAtFirst(NoFaults):
        def strikes(self, process: Process, place: str, answered: bool) -> str:
            return "slow 6" if place == "store.now" and process.boundaries < 5 else ""

    deployment = Deployment(SlowAtFirst())
    at = (START + timedelta(seconds=9)).isoformat()
    editing.add(
        deployment.truth.store, entry_from("once", {"task": "t", "at": at}), deployment.world.now
    )
    deployment.start(Host("a"))
    deployment.world.run(8.9)
    assert deployment.truth.arrived == []
    deployment.world.run(30.0)
    assert len(deployment.leaders()) == 1 and len(deployment.truth.arrived) == 1
    deployment.world.end()


class SlowClock(NoFaults):
    """Each question for the time takes 0.1 s to the server, from the 5th second to the 9th."""

    def __init__(self) -> None:
        self.deployment = Deployment(self)

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        slow = place == "store.now" and not answered and 5 <= self.deployment.world.elapsed() < 9
        return "slow 0.1" if slow else ""


def every_second_with_a_slow_clock() -> Deployment:
    deployment = SlowClock().deployment
    editing.add(
        deployment.truth.store,
        entry_from("each second", {"task": "t", "every": "1s"}),
        deployment.world.now,
    )
    deployment.start(Host("a"))
    deployment.world.run(5.4)
    return deployment


def test_a_step_back_of_the_stores_clock_that_slow_replies_hide_ends_with_a_quick_one() -> None:
    deployment = every_second_with_a_slow_clock()
    world, clock, (process,) = deployment.world, deployment.store_clock, deployment.processes
    clock.set(seconds=-0.05)
    world.run(8.5)
    ahead_s = (process.daemon.now() - clock.now()).total_seconds()
    assert 0.04 < ahead_s <= 0.05, "no reply that takes 0.1 s can show it"
    world.run(15.0)
    ahead_s = (process.daemon.now() - clock.now()).total_seconds()
    assert -0.01 < ahead_s <= 0
    assert len(deployment.truth.arrived) == 14
    world.end()


def test_a_step_back_of_the_stores_clock_that_is_longer_than_a_replys_way_is_noticed() -> None:
    deployment = every_second_with_a_slow_clock()
    world, clock, (process,) = deployment.world, deployment.store_clock, deployment.processes
    clock.set(seconds=-0.2)
    world.run(8.5)
    assert (process.daemon.now() - clock.now()).total_seconds() <= 0
    world.end()


def test_the_simulator_sees_a_run_that_is_earlier_than_a_reply_can_hide() -> None:
    with planted("a clock that was set back is not noticed"):
        deployment = every_second_with_a_slow_clock()
        deployment.store_clock.set(seconds=-0.2)
        with pytest.raises(Violation, match="S9 each second"):
            deployment.world.run(8.5)
        deployment.world.end()


def test_what_an_older_leader_planned_before_it_crashed_is_planned_again() -> None:
    class CrashesAtOnce(NoFaults):
        def strikes(self, process: Process, place: str, answered: bool) -> str:
            return "crash" if process.is_old and place == "store.count" else ""

    deployment = Deployment(CrashesAtOnce(), old_hosts=frozenset("a"))
    world, truth = deployment.world, deployment.truth
    truth.versions.begin()
    entry = entry_from("zoned 1", {"task": "t", "cron": ZONED[1]})
    editing.add(truth.store, entry, deployment.now)
    until = START + timedelta(seconds=2)
    pause(truth.store, ["zoned 1"], deployment.now, Author("ann"), until=until)
    host = Host("a")
    host.is_old = True
    older = deployment.start(host)
    host.is_old = False  # it is upgraded meanwhile
    world.run(0.9)
    (row,) = truth.store.find(Query())
    assert (row.plan.rules, older.alive) == (OLD, False)
    world.run(6.0)
    (row,) = truth.store.find(Query())
    assert (row.plan.rules, row.plan.planned) == (NEW, START + timedelta(seconds=20))
    world.end()
    truth.versions.end()
