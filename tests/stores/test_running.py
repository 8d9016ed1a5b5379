"""The contract of running runs, kept by every store: RunningChange, Stored.running, and the end of
a run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from msgspec.structs import replace

from beatd.catalog import Change, Query, Stored
from beatd.errors import Deposed
from beatd.ledger import Move, RunningChange
from beatd.outcome import RUN_ENDS
from beatd.run import Running
from beatd.store import Store
from tests.stores.making import (
    FOREVER,
    again,
    asked,
    at,
    claimed,
    closed,
    edit,
    entry,
    lead,
    open_claims,
    past,
    plan,
    put,
    request_of,
    row,
    step,
    told,
)
from tests.stores.running_runs import (
    UNTIL,
    delivery,
    put_queued,
    second,
    skipping,
    started,
    starting,
    waiting,
)

Reopen = Callable[[], Store]

# which entries have one


def test_an_entry_that_allows_overlap_has_no_running_run(store: Store) -> None:
    claimed(store, put(store), lead(store))
    assert store.running(None) == {}
    assert row(store).running is None


def test_a_claimed_run_is_the_running_one_from_its_claim_on(store: Store, reopen: Reopen) -> None:
    run = started(store, put_queued(store), lead(store), when=1)
    expected = Running(run.task_id, at(1), UNTIL)
    for handle in (store, reopen()):
        assert handle.running(None) == {"tidy": expected}
        assert row(handle).running == expected


def test_it_is_read_with_the_entry_everywhere(store: Store) -> None:
    stored, term = put_queued(store), lead(store)
    put(store, "other")
    store.add_requests([request_of(stored)])
    started(store, stored, term)
    expected = store.running(None)["tidy"]
    assert {s.entry.name: s.running for s in store.upcoming(10)} == {
        "other": None,
        "tidy": expected,
    }
    assert [claim.stored and claim.stored.running for claim in open_claims(store)] == [expected]
    assert [found and found.running for _, found in store.requests(10)] == [expected]
    for query in (Query(), Query(order="next"), Query(limit=2), Query(source="cli")):
        found = {stored.entry.name: stored.running for stored in store.find(query)}
        assert found == {"other": None, "tidy": expected}


def test_running_runs_are_read_by_name(store: Store) -> None:
    term = lead(store)
    for name in ("a", "b", "ä"):
        started(store, put_queued(store, name), term)
    assert sorted(store.running(None)) == ["a", "b", "ä"]
    assert sorted(store.running(["ä", "a", "none"])) == ["a", "ä"]
    assert store.running([]) == {}


# the claim is made only if the running run is the one that was seen


def unchanged(store: Store, move: Move, seen: str) -> bool:
    """Whether a refused move left the plan, the claims and the running runs alone."""
    before = row(store), open_claims(store), past(store), store.running(None)
    running = move.running and replace(move.running, seen=seen)
    assert store.claim([replace(move, running=running)], lead(store), at(5)) == [False]
    return before == (row(store), open_claims(store), past(store), store.running(None))


def test_a_run_that_is_not_running_cannot_be_seen(store: Store) -> None:
    assert unchanged(store, starting(store, put_queued(store)), seen="another")


@pytest.mark.parametrize("seen", ["", "another"])
def test_nothing_is_done_beside_a_running_run_that_was_not_seen(store: Store, seen: str) -> None:
    started(store, put_queued(store), lead(store))
    stored = row(store)
    for move in (starting(store, stored), skipping(store, stored), waiting(store, stored)):
        assert unchanged(store, move, seen)


def test_a_moment_is_skipped_while_the_seen_run_is_running(store: Store) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term)
    before = store.running(None)
    assert store.claim([skipping(store, row(store), following=20)], term, at(10)) == [True]
    assert store.running(None) == before
    assert row(store).plan == plan(20)
    assert past(store)[0].reason == f"still running: {run.task_id}"


def test_a_moment_waits_for_the_running_run(store: Store) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term, when=1)
    assert store.claim([waiting(store, row(store))], term, at(10)) == [True]
    found = row(store)
    assert (found.plan.planned, found.plan.due) == (at(10), UNTIL)
    assert found.running == Running(run.task_id, at(1), UNTIL, waits=True)
    assert len(open_claims(store)) == 1


def test_a_moment_that_replaces_waits_for_a_shorter_time(store: Store) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term, when=1)
    move = replace(waiting(store, row(store), until=at(20)), revokes=run.task_id)
    assert store.claim([move], term, at(10)) == [True]
    assert row(store).running == Running(run.task_id, at(1), at(20), waits=True)


def test_a_plan_that_moved_on_waits_no_longer(store: Store) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term)
    assert store.claim([waiting(store, row(store))], term, at(10)) == [True]
    assert store.claim([skipping(store, row(store), following=30)], term, at(20)) == [True]
    assert row(store).running == Running(run.task_id, at(1), UNTIL)
    store.write_outcomes([delivery(run, "succeeded")], at(21))
    assert row(store).plan == plan(30)


def test_a_run_that_no_longer_counts_is_replaced_by_the_next(store: Store) -> None:
    term = lead(store)
    old = started(store, put_queued(store), term, when=1)
    store.claim([waiting(store, row(store))], term, at(10))
    move = starting(store, row(store), seen=old.task_id, until=at(120), following=70)
    assert store.claim([move], term, at(61)) == [True]
    assert move.run is not None and move.run.task_id != old.task_id
    assert row(store).running == Running(move.run.task_id, at(61), at(120))


def test_a_run_that_was_prolonged_is_not_replaced_by_the_next(store: Store) -> None:
    term = lead(store)
    old = started(store, put_queued(store), term, when=1)
    over = RunningChange(old.task_id, at(180), is_over=True)
    move = replace(starting(store, row(store), seen=old.task_id, until=at(180)), running=over)
    store.prolong([old.task_id], at(120))
    assert store.claim([move], term, at(119)) == [False]
    assert store.claim([move], term, at(120)) == [True]


def test_two_threads_that_claim_one_entry_at_once_make_one_run(
    store: Store, reopen: Reopen
) -> None:
    names = [f"entry-{n:02}" for n in range(20)]
    term = lead(store)
    rows = [put_queued(store, name) for name in names]
    requests = [request_of(stored) for stored in rows]
    store.add_requests(requests)
    change = RunningChange("", UNTIL)
    plans = [starting(store, stored) for stored in rows]
    by_hand = [
        asked(store, request, stored, running=change)
        for request, stored in zip(requests, rows, strict=True)
    ]
    with ThreadPoolExecutor(2) as threads:
        made = list(
            threads.map(
                lambda one: one[0].claim(one[1], term, at(1)),
                [(store, plans), (reopen(), by_hand[::-1])],
            )
        )
    one, two = list(made[0]), list(made[1])[::-1]
    assert [a + b for a, b in zip(one, two, strict=True)] == [1] * len(names)
    runs = {c.occurrence.name: c.task_id for c in open_claims(store)}
    assert {name: found.task_id for name, found in store.running(None).items()} == runs


def test_in_one_batch_only_the_first_run_of_an_entry_is_claimed(store: Store) -> None:
    stored, term = put_queued(store), lead(store)
    requests = [request_of(stored), request_of(stored)]
    store.add_requests(requests)
    change = RunningChange("", UNTIL)
    moves = [starting(store, stored)]
    moves += [asked(store, request, stored, running=change) for request in requests]
    assert store.claim(moves, term, at(1)) == [True, False, False]
    assert len(open_claims(store)) == 1 and len(store.requests(10)) == 2


def test_a_thousand_that_do_not_allow_overlap_are_claimed_in_one_batch(store: Store) -> None:
    names = [f"entry-{n:04}" for n in range(1000)]
    made = entry(overlap="skip", max_run="60s")
    assert all(store.write([Change(n, 0, replace(made, name=n), plan(0)) for n in names]))
    term = lead(store)
    moves = [starting(store, stored) for stored in store.upcoming(2000)]
    assert store.claim(moves, term, at(1)) == [True] * 1000
    assert store.claim(moves, term, at(1)) == [False] * 1000
    assert {name: found.task_id for name, found in store.running(None).items()} == {
        move.name: move.run.task_id for move in moves if move.run
    }
    assert all(stored.running for stored in store.upcoming(2000))
    skips = [skipping(store, stored, following=20) for stored in store.find(Query())]
    assert store.claim(skips, term, at(11)) == [True] * 1000


def test_moves_with_and_without_overlap_meet_in_one_batch(store: Store) -> None:
    a, b, c = put(store, "a"), put_queued(store, "b"), put(store, "c")
    moves = [step(store, c), starting(store, b), step(store, a, seen=at(99))]
    assert store.claim(moves, lead(store), at(1)) == [True, True, False]
    assert list(store.running(None)) == ["b"]


def test_a_deposed_leader_makes_no_run_the_running_one(store: Store, reopen: Reopen) -> None:
    stored, old = put_queued(store), lead(store, "old")
    lead(reopen(), "new")
    with pytest.raises(Deposed):
        store.claim([starting(store, stored)], old, at(1))
    assert store.running(None) == {}


# the same run again


def resent(store: Store, seen: str) -> Move:
    (claim,) = open_claims(store)
    return again(claim, store, running=RunningChange(seen, at(90)))


def test_a_run_that_is_sent_again_is_the_same_run(store: Store) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term, when=1)
    store.claim([waiting(store, row(store))], term, at(10))
    assert store.claim([resent(store, run.task_id)], term, at(12)) == [True]
    assert row(store).running == Running(run.task_id, at(1), at(90), waits=True)


def test_a_run_that_ended_and_is_sent_again_is_running_again(store: Store) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term, when=1)
    store.write_outcomes([delivery(run, "lost")], at(5))
    assert store.claim([resent(store, "")], term, at(12)) == [True]
    assert row(store).running == Running(run.task_id, at(12), at(90))


def test_a_run_is_not_sent_again_beside_another(store: Store) -> None:
    term = lead(store)
    first = started(store, put_queued(store), term, when=1)
    move = resent(store, first.task_id)
    next_run = starting(store, row(store), seen=first.task_id, until=at(120))
    assert store.claim([next_run], term, at(61)) == [True]
    before = store.running(None)
    assert store.claim([move], term, at(62)) == [False]
    assert store.running(None) == before
    assert {claim.claimed_at for claim in open_claims(store)} == {at(1), at(61)}


def test_a_closed_claim_may_end_its_run(store: Store) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term)
    store.claim([waiting(store, row(store))], term, at(10))
    (claim,) = open_claims(store)
    move = replace(closed(claim, "paused"), running=RunningChange(run.task_id, ends=True))
    assert store.claim([move], term, at(12)) == [True]
    assert row(store).running is None
    assert (row(store).plan.planned, row(store).plan.due) == (at(10), at(12))


def test_a_claim_that_ends_another_run_than_the_seen_one_is_refused(store: Store) -> None:
    term = lead(store)
    started(store, put_queued(store), term)
    (claim,) = open_claims(store)
    move = replace(closed(claim, "paused"), running=RunningChange("another", ends=True))
    assert store.claim([move], term, at(12)) == [False]
    assert len(open_claims(store)) == 1 and row(store).running is not None


# its end


@pytest.mark.parametrize("state", sorted(RUN_ENDS))
def test_a_run_that_ended_no_longer_counts_as_running(store: Store, state: str) -> None:
    run = started(store, put_queued(store), lead(store))
    store.write_outcomes([delivery(run, state)], at(5))
    assert store.running(None) == {} and row(store).running is None


@pytest.mark.parametrize("state", ["received", "started", "retried"])
def test_a_run_that_goes_on_counts_as_running(store: Store, state: str) -> None:
    run = started(store, put_queued(store), lead(store))
    store.write_outcomes([delivery(run, state)], at(5))
    assert store.running(None)["tidy"].task_id == run.task_id


def test_the_end_of_an_older_run_ends_no_other(store: Store) -> None:
    term = lead(store)
    old = started(store, put_queued(store), term)
    move = starting(store, row(store), seen=old.task_id, until=at(120))
    store.claim([move], term, at(61))
    before = store.running(None)
    store.write_outcomes([delivery(old, "succeeded")], at(62))
    assert store.running(None) == before


def test_a_run_that_was_delivered_twice_runs_until_both_ended(store: Store) -> None:
    run = started(store, put_queued(store), lead(store))
    first = delivery(run, "started", 3)
    store.write_outcomes([first, second(first, started=at(4), at=at(4))], at(4))
    store.write_outcomes([replace(first, state="lost", at=at(34))], at(34))
    assert row(store).running is not None
    store.write_outcomes([second(first, state="succeeded", at=at(40), finished=at(40))], at(40))
    assert row(store).running is None


def test_whether_a_run_ended_is_decided_after_all_reports_of_a_call(store: Store) -> None:
    run = started(store, put_queued(store), lead(store))
    lost, again = delivery(run, "lost"), second(delivery(run, "started", 4))
    assert list(store.write_outcomes([lost, again], at(5))) == ["written", "written"]
    assert row(store).running is not None


def test_a_run_ends_though_the_clock_of_its_last_worker_is_behind(store: Store) -> None:
    run = started(store, put_queued(store), lead(store))
    first = delivery(run, "retried", 3600, received=at(3590))
    last = second(delivery(run, "succeeded", 30, received=at(20)))
    store.write_outcomes([first, last], at(40))
    assert row(store).running is None


def test_a_retried_run_counts_as_running_until_its_last_delivery_ended(store: Store) -> None:
    run = started(store, put_queued(store), lead(store))
    first = delivery(run, "started", 3)
    store.write_outcomes([replace(first, state="retried", at=at(4))], at(4))
    assert row(store).running is not None
    later = second(first, state="failed", received=at(8), at=at(9), finished=at(9))
    store.write_outcomes([later], at(9))
    assert row(store).running is None


def waits(store: Store) -> str:
    """Put an entry whose moment at 10 waits for a run; return the task id of the run."""
    term = lead(store)
    run = started(store, put_queued(store), term)
    store.record([told(run)])
    assert store.claim([waiting(store, row(store))], term, at(10)) == [True]
    store.write_outcomes([delivery(run, "started")], at(11))
    return run.task_id


def end_of_run(store: Store, when: float) -> None:
    ((_, running),) = store.running(None).items()
    (known,) = store.outcomes([running.task_id])[running.task_id]
    store.write_outcomes([replace(known, state="succeeded", at=at(when))], at(when))


def test_a_waiting_entry_is_due_when_the_run_ends(store: Store) -> None:
    waits(store)
    put(store, "other", 15)
    end_of_run(store, 14)
    assert (row(store).plan.planned, row(store).plan.due) == (at(10), at(14))
    assert [stored.entry.name for stored in store.upcoming(2)] == ["tidy", "other"]
    assert store.claim([starting(store, row(store), following=20)], lead(store), at(14)) == [True]


def test_a_run_that_nobody_waits_for_moves_no_plan(store: Store) -> None:
    run = started(store, put_queued(store), lead(store))
    store.write_outcomes([delivery(run, "succeeded")], at(5))
    assert row(store).plan == plan(10)


def test_an_entry_that_is_due_before_the_end_stays_so(store: Store) -> None:
    waits(store)
    end_of_run(store, 70)
    assert row(store).plan.due == UNTIL


def test_a_paused_entry_waits_for_nothing(store: Store) -> None:
    waits(store)
    stored = row(store)
    assert store.write([edit(stored, stored.entry, paused=True)]) == [True]
    end_of_run(store, 14)
    assert row(store).plan.due is None
    assert not store.upcoming(10)


def test_an_edited_entry_waits_for_nothing(store: Store) -> None:
    waits(store)
    stored = row(store)
    assert store.write([edit(stored, stored.entry, plan(40, "two"))]) == [True]
    end_of_run(store, 14)
    assert row(store).plan == plan(40, "two")


def test_a_request_that_waits_does_not_move_the_plan(store: Store) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term)
    request = request_of(row(store))
    store.add_requests([request])
    change = RunningChange(run.task_id, at(20))
    move = asked(store, request, row(store), run=None, first=request.first, running=change)
    assert store.claim([move], term, at(5)) == [True]
    assert row(store).running == Running(run.task_id, at(1), at(20))
    store.write_outcomes([delivery(run, "succeeded")], at(15))
    assert row(store).plan == plan(10)
    assert store.requests(10) == [(request, row(store))]


def test_watchers_are_called_when_a_waiting_entry_is_due(store: Store, reopen: Reopen) -> None:
    watcher, woken = reopen(), Event()
    if not watcher.watch(woken.set):
        return
    waits(store)
    # What came before may wake it late: so until the watcher has seen the last edit.
    put(store, "other")
    assert woken.wait(60)
    for _ in range(20):
        woken.clear()
        if not woken.wait(0.05):
            break
    end_of_run(store, 14)
    assert woken.wait(60)


# a rejected message


@pytest.mark.parametrize("sent", ["confirmed", "unknown", "unsent"])
def test_a_message_that_may_have_gone_out_leaves_its_run_running(store: Store, sent: str) -> None:
    run = started(store, put_queued(store), lead(store))
    store.record([told(run, sent)])
    assert row(store).running is not None


def test_a_rejected_run_does_not_count_as_running(store: Store) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term)
    store.claim([waiting(store, row(store))], term, at(10))
    store.record([told(run, "rejected", when=12, reason="no queue")])
    assert row(store).running is None
    assert (row(store).plan.planned, row(store).plan.due) == (at(10), at(12))


def test_a_rejection_of_a_claim_that_was_made_anew_ends_no_run(
    store: Store, reopen: Reopen
) -> None:
    run = started(store, put_queued(store), lead(store, "one"))
    other = reopen()
    assert other.claim([resent(other, run.task_id)], lead(other, "two"), at(12)) == [True]
    store.record([told(run, "rejected", claimed_at=at(1))])
    assert row(other).running is not None
    assert len(open_claims(other)) == 1


# prolonged


def test_a_run_is_prolonged_and_never_shortened(store: Store) -> None:
    run = started(store, put_queued(store), lead(store), when=1)
    store.prolong([run.task_id, "none"], at(90))
    assert row(store).running == Running(run.task_id, at(1), at(90))
    store.prolong([run.task_id], at(80))
    assert row(store).running == Running(run.task_id, at(1), at(90))
    assert row(store).plan == plan(10)
    store.prolong([], at(200))


def test_an_entry_that_waits_for_a_prolonged_run_looks_at_it_when_it_would_have_ended(
    store: Store,
) -> None:
    store.prolong([waits(store)], at(90))
    assert (row(store).plan.planned, row(store).plan.due) == (at(10), UNTIL)
    end_of_run(store, 14)
    assert row(store).plan.due == at(14)


def test_a_paused_entry_is_not_due_after_its_run_was_prolonged(store: Store) -> None:
    task_id = waits(store)
    stored = row(store)
    store.write([edit(stored, stored.entry, paused=True)])
    store.prolong([task_id], at(90))
    assert row(store).plan.due is None


# edits


def test_a_removed_entry_has_no_running_run(store: Store) -> None:
    started(store, put_queued(store), lead(store))
    assert store.write([Change("tidy", row(store).revision, None)]) == [True]
    assert store.running(None) == {}
    assert put_queued(store).running is None


def test_an_edit_leaves_the_running_run_alone(store: Store) -> None:
    started(store, put_queued(store), lead(store))
    before, stored = store.running(None), row(store)
    made = entry(overlap="skip", max_run="30s", args=[1])
    assert store.write([edit(stored, made)]) == [True]
    assert store.running(None) == before


def test_an_entry_that_comes_to_allow_overlap_waits_for_nothing(store: Store) -> None:
    run, term = run_of_tidy(store), lead(store)
    assert run.running is not None
    assert store.claim([waiting(store, run, FOREVER)], term, at(10)) == [True]
    assert store.write([edit(row(store), entry())]) == [True]
    assert store.running(None) == {}
    found = row(store)
    assert found.running is None
    assert found.plan.planned == at(10)
    assert found.plan.due is not None and found.plan.due < FOREVER


def run_of_tidy(store: Store) -> Stored:
    """An entry with a running run."""
    started(store, put_queued(store), lead(store))
    return row(store)
