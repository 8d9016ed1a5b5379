"""Which batches a tick claims, where they are published, and what it does in which order."""

from collections.abc import Sequence
from typing import Any

import pytest

from beatd.edits.run_requests import trigger
from beatd.engine.tick import Tick
from beatd.events import Overdue, Sent
from beatd.ledger import Move
from beatd.publisher import Outcome
from beatd.run import Run
from tests.engine.fake_dispatch import FakeDispatch
from tests.engine.test_overlap import report
from tests.fake_lease import holder
from tests.fleet import Fleet

DUE_S = 60  # each entry of these tests is due after so many seconds


def leading(fleet: Fleet, names: Sequence[str]) -> Tick:
    """The leader, at the moment when the entries `names` are due for the first time."""
    for name in names:
        fleet.add(name, every="1m")
    engine = fleet.daemon()
    fleet.minutes(engine, (DUE_S - 1) / 60)
    fleet.clock.advance(seconds=1)
    fleet.elections[engine].campaign()
    return engine


def sending(dispatch: FakeDispatch, names: str = "abcde") -> FakeDispatch:
    """Send the entries `names` through `dispatch`, in batches of one, of two and of two."""
    engine = leading(Fleet(batch=2), names)
    engine.use(dispatch)
    engine.tick()
    engine.close()
    return dispatch


def test_each_batch_but_the_last_is_published_on_the_second_thread() -> None:
    dispatch = sending(FakeDispatch())
    assert dispatch.claimed == [["a"], ["b", "c"], ["d", "e"]]
    assert dispatch.on_second_thread == [True, True, False]


def test_the_only_batch_is_published_at_once() -> None:
    assert sending(FakeDispatch(), "a").on_second_thread == [False]


def test_a_dispatch_that_claims_and_publishes_in_one_script_needs_no_second_thread() -> None:
    assert sending(FakeDispatch(atomic=True)).on_second_thread == [False] * 3


def test_what_did_not_fit_is_claimed_later_and_the_last_of_it_on_this_thread() -> None:
    dispatch = sending(FakeDispatch(room=1))
    assert dispatch.claimed == [["a"], ["b", "c"], ["d", "e"], ["c"], ["e"]]
    assert dispatch.on_second_thread == [True, True, False, True, False]


def test_a_daemon_that_was_closed_publishes_on_no_second_thread() -> None:
    engine = leading(Fleet(batch=2), "abc")
    engine.use(FakeDispatch())
    engine.close()
    with pytest.raises(RuntimeError, match="shutdown"):
        engine.tick()


def test_a_batch_for_which_the_lead_is_not_trusted_is_not_claimed_and_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The election may trust the same term again, if it was only renewed late."""
    fleet, dispatch = Fleet(batch=2), FakeDispatch()
    engine = leading(fleet, "ab")
    engine.use(dispatch)
    with monkeypatch.context() as late:
        late.setattr(fleet.elections[engine], "trusts", lambda term: not dispatch.claimed)
        engine.tick()
        assert dispatch.claimed == [["a"]]
    dispatch.claimed.clear()
    engine.tick()
    assert dispatch.claimed == [["a"], ["b"]]  # the dispatch wrote no claim of "a" to the store
    engine.close()


def test_a_slow_broker_makes_the_next_batches_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    fleet, sizes = Fleet(batch=100), list[int]()
    claim = fleet.store.claim

    def sized(moves: Sequence[Move], *rest: Any) -> Sequence[bool]:
        sizes.append(len(moves))
        return claim(moves, *rest)

    def slow(run: Run) -> None:
        fleet.clock.advance(seconds=0.006)

    monkeypatch.setattr(fleet.store, "claim", sized)
    engine = leading(fleet, [f"entry {n:03}" for n in range(100)])
    fleet.broker.fault = slow
    engine.tick()
    assert sizes == [100]
    fleet.broker.fault = lambda run: None
    fleet.minutes(engine, 1)
    assert sizes[1:3] == [50, 50]


def test_nothing_is_claimed_after_the_broker_went_away_with_a_run_that_had_waited() -> None:
    """Such a run is sent before what is due."""
    fleet = Fleet()
    fleet.add("waits", every="1h", overlap="queue", max_run="1h")
    trigger(fleet.store, "waits", fleet.clock.now())
    trigger(fleet.store, "waits", fleet.clock.now())
    engine = leading(fleet, "a")
    report(fleet, engine)  # of the first run, so that the second may start
    fleet.broker.fault = lambda run: Outcome("unsent", "connection refused")
    engine.tick()
    assert not engine.broker_outage.over
    assert [record.name for record in fleet.history() if record.state == "claimed"] == ["waits"]


def test_each_batch_is_told_of() -> None:
    fleet = Fleet(batch=1)
    engine = leading(fleet, "ab")
    engine.tick()
    told = [event.results for event in fleet.told if isinstance(event, Sent)]
    assert [[one.run.occurrence.name for one in results] for results in told] == [["a"], ["b"]]


def test_results_are_recorded_though_more_is_due() -> None:
    fleet = Fleet(batch=1)
    engine = leading(fleet, "abcde")
    engine.tick()
    assert [(r.name, r.state) for r in fleet.history()] == [(n, "published") for n in "dcba"]


def test_what_is_asked_by_hand_waits_until_all_that_is_due_was_sent() -> None:
    fleet = Fleet(batch=1)
    engine = leading(fleet, "abcde")
    trigger(fleet.store, "a", fleet.clock.now())
    engine.noticed_change()
    engine.tick()
    assert [run.origin for run in fleet.broker.arrived] == ["planned"] * 4
    engine.tick()
    assert [run.origin for run in fleet.broker.arrived] == ["planned"] * 5 + ["trigger"]


def test_requests_are_searched_once_a_tick_while_one_waits_for_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = Fleet()
    fleet.add("a", every="1m", overlap="queue", max_run="1h")
    engine = fleet.daemon()
    trigger(fleet.store, "a", fleet.clock.now())
    trigger(fleet.store, "a", fleet.clock.now())
    fleet.minutes(engine, 0.1)
    assert len(fleet.broker.arrived) == 1, "the second waits for the end of the first"
    requests, searches = fleet.store.requests, list[int]()

    def counted(limit: int) -> Any:
        searches.append(limit)
        return requests(limit)

    monkeypatch.setattr(fleet.store, "requests", counted)
    engine.tick()
    assert len(searches) == 1


def test_a_claim_that_a_worker_reported_is_recorded_in_the_same_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = Fleet()
    fleet.broker.fault = lambda run: Outcome("unknown", "no confirm")
    engine = leading(fleet, "a")
    engine.tick()
    monkeypatch.setattr(fleet.store, "outcomes", lambda ids: dict.fromkeys(ids, ()))
    fleet.minutes(engine, 4.5 / 60)  # the claim is not searched before 5 s have passed
    assert [record.state for record in fleet.history()] == ["claimed"]
    fleet.clock.advance(seconds=1)
    fleet.elections[engine].campaign()
    engine.tick()
    assert [record.state for record in fleet.history()] == ["published"]


def test_a_daemon_that_led_until_now_leaves_the_next_leader_its_time() -> None:
    """What it could not send while the broker was away is not late at once."""
    fleet = Fleet()
    engine = leading(fleet, "a")
    fleet.broker.up = False
    fleet.minutes(engine, 2)
    fleet.elections[engine].resign()
    fleet.lease.held = (holder("another"), float("inf"))
    fleet.minutes(engine, 9 / 60)
    assert not [event for event in fleet.told if isinstance(event, Overdue)]
    fleet.minutes(engine, 2 / 60)
    assert [event.name for event in fleet.told if isinstance(event, Overdue)] == ["a"]
