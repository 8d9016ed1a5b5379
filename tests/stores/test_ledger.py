"""The contract of a Ledger, kept by every store."""

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.catalog import Change, Plan, Query
from beatd.definition import codec
from beatd.entry import Entry
from beatd.errors import ConfigError, Deposed
from beatd.leader import Term
from beatd.ledger import Move
from beatd.run import EPOCH, Occurrence, Skip
from beatd.store import Store
from tests.roles import status_shared_by
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
    names,
    open_claims,
    past,
    plan,
    put,
    put_many,
    request_of,
    row,
    run_of,
    step,
    told,
)

# what comes next


def test_the_soonest_come_first(store: Store) -> None:
    for name, planned in (("c", 30), ("a", 10), ("idle", None), ("b", 20)):
        put(store, name, planned)
    assert names(store.upcoming(10)) == ["a", "b", "c"]
    assert names(store.upcoming(2)) == ["a", "b"]


def test_the_due_moment_orders_and_not_the_planned_one(store: Store) -> None:
    store.write([Change("jittery", 0, entry("jittery"), Plan(at(1), at(9), "mark", "1"))])
    put(store, "plain", 5)
    assert names(store.upcoming(10)) == ["plain", "jittery"]


def test_looking_changes_nothing(store: Store) -> None:
    put_many(store, ["a", "b", "c"])
    assert store.upcoming(2) == store.upcoming(2)
    assert list(store.upcoming(3)) == list(store.upcoming(100))


def test_upcoming_follows_every_edit(store: Store) -> None:
    stored = put(store, planned=10)
    put(store, "other", 20)
    store.write([edit(stored, stored.entry, plan(30, "two"))])
    assert names(store.upcoming(10)) == ["other", "tidy"]
    store.write([edit(row(store), stored.entry, plan(10))])
    assert names(store.upcoming(10)) == ["tidy", "other"]


# claiming


def test_a_claim_moves_the_plan_on_and_leaves_an_open_claim(store: Store) -> None:
    stored, term = put(store), lead(store)
    move = step(store, stored, following=10)
    assert store.claim([move], term, at(1)) == [True]
    found = row(store)
    assert (found.plan, found.runs, found.last) == (plan(10), 1, at(0))
    (claim,) = open_claims(store)
    assert move.run is not None
    assert claim.occurrence == move.run.occurrence
    assert claim.task_id == move.run.task_id
    assert (claim.due, claim.claimed_at, claim.term) == (at(0), at(1), term.number)
    assert (claim.unsent, claim.stored) == (False, found)


def test_a_moment_is_claimed_once(store: Store) -> None:
    stored, term = put(store), lead(store)
    move = step(store, stored)
    assert store.claim([move], term, at(1)) == [True]
    assert store.claim([move], term, at(2)) == [False]
    assert (row(store).runs, len(open_claims(store))) == (1, 1)


@pytest.mark.parametrize("what", ["seen", "revision", "name"])
def test_a_row_that_is_not_as_seen_is_not_claimed(store: Store, what: str) -> None:
    stored, term = put(store), lead(store)
    other = {"seen": at(0.000001), "revision": stored.revision + 1, "name": "none"}[what]
    assert store.claim([step(store, stored, **{what: other})], term, at(1)) == [False]
    assert row(store) == stored
    assert not open_claims(store)
    assert not past(store)


def test_an_edit_made_before_the_claim_is_honoured(store: Store) -> None:
    stored, term = put(store), lead(store)
    store.write([Change("tidy", stored.revision, entry(args=[2]))])
    assert store.claim([step(store, stored)], term, at(1)) == [False]
    assert store.claim([step(store, row(store))], term, at(1)) == [True]


@pytest.mark.parametrize("state", ["paused", "disabled", "removed"])
def test_what_is_paused_disabled_or_removed_is_not_claimed(store: Store, state: str) -> None:
    stored, term = put(store), lead(store)
    changed = {
        "paused": Change("tidy", stored.revision, stored.entry, paused=True),
        "disabled": Change("tidy", stored.revision, entry(enabled=False)),
        "removed": Change("tidy", stored.revision, None),
    }[state]
    assert store.write([changed]) == [True]
    assert store.claim([step(store, stored)], term, at(1)) == [False]
    if state != "removed":
        now = row(store).revision
        assert store.claim([step(store, stored, revision=now)], term, at(1)) == [False]


def test_a_finished_entry_has_nothing_ahead(store: Store) -> None:
    claimed(store, put(store), lead(store), following=None)
    assert not store.upcoming(10)
    assert (row(store).plan.planned, row(store).runs) == (None, 1)


def test_a_move_without_a_run_moves_the_plan_and_claims_nothing(store: Store) -> None:
    stored, term = put(store), lead(store)
    skip = Skip(at(0), at(50), 6, "too old", at_least=True)
    move = step(store, stored, 60, run=None, counts=0, skips=(skip,))
    assert store.claim([move], term, at(1)) == [True]
    assert (row(store).plan, row(store).runs, row(store).last) == (plan(60), 0, None)
    assert not open_claims(store)
    (record,) = past(store)
    assert (record.name, record.state, record.reason) == ("tidy", "skipped", "too old")
    assert (record.planned, record.until, record.count) == (at(0), at(50), 6)
    assert record.at_least
    assert record.task_id == ""


def test_skips_and_a_run_of_one_move_are_both_kept(store: Store) -> None:
    stored, term = put(store), lead(store)
    skips = (Skip(at(0), at(0), 1, "missed; only the latest was run"),)
    move = step(store, stored, 20, run=run_of(store, stored, at(10)), skips=skips)
    assert store.claim([move], term, at(11)) == [True]
    assert {(r.planned, r.state) for r in past(store)} == {
        (at(0), "skipped"),
        (at(10), "claimed"),
    }
    assert row(store).last == at(10)


def test_one_skipped_moment_has_no_end(store: Store) -> None:
    stored, term = put(store), lead(store)
    move = step(store, stored, run=None, counts=0, skips=(Skip(at(0), at(0), 1, "late"),))
    store.claim([move], term, at(1))
    (record,) = past(store)
    assert (record.until, record.count, record.at_least) == (None, 1, False)


def test_runs_are_counted_by_what_a_move_says(store: Store) -> None:
    stored, term = put(store), lead(store)
    claimed(store, stored, term, following=10, counts=0)
    assert (row(store).runs, row(store).last) == (0, None)
    claimed(store, row(store), term, following=20)
    assert (row(store).runs, row(store).last) == (1, at(10))


def test_moves_of_a_batch_are_answered_one_by_one(store: Store) -> None:
    a, b, c = put_many(store, ["a", "b", "c"])
    term = lead(store)
    moves = [step(store, c), step(store, b, seen=at(99)), step(store, a)]
    assert store.claim(moves, term, at(1)) == [True, False, True]
    assert [row(store, name).runs for name in "abc"] == [1, 0, 1]
    assert store.claim([], term, at(1)) == []


def test_a_thousand_are_claimed_in_one_batch(store: Store) -> None:
    rows = put_many(store, [f"entry-{n:04}" for n in range(1000)])
    term = lead(store)
    moves = [step(store, stored) for stored in rows]
    assert store.claim(moves, term, at(1)) == [True] * 1000
    assert store.claim(moves, term, at(1)) == [False] * 1000
    runs = [move.run for move in moves if move.run]
    assert len(store.unknowns(at(2), 5000)) == 1000
    store.record([told(run) for run in runs])
    assert not open_claims(store)
    assert {record.state for record in past(store)} == {"published"}
    assert len(past(store)) == 1000
    assert {stored.plan.planned for stored in store.upcoming(2000)} == {at(10)}


def test_racing_threads_claim_each_moment_once(store: Store, reopen: Callable[[], Store]) -> None:
    rows = put_many(store, [f"entry-{n:02}" for n in range(40)])
    term = lead(store)
    handles = [store, reopen(), reopen()]
    moves = [step(store, stored) for stored in rows]

    def claim(handle: Store) -> list[bool]:
        mine = moves if handles.index(handle) % 2 else moves[::-1]
        made = handle.claim(mine, term, at(1))
        return list(made if mine is moves else reversed(made))

    with ThreadPoolExecutor(len(handles)) as threads:
        made = list(threads.map(claim, handles))
    assert [sum(of_one) for of_one in zip(*made, strict=True)] == [1] * len(rows)
    assert len(open_claims(store)) == len(rows)


# fencing


def test_a_deposed_leader_cannot_claim(store: Store) -> None:
    stored, old = put(store), lead(store, "old")
    new = lead(store, "new")
    with pytest.raises(Deposed, match=r"new.*host-of-new.*42.*term \d"):
        store.claim([step(store, stored)], old, at(1))
    assert row(store) == stored
    assert not open_claims(store)
    assert store.claim([step(store, stored)], new, at(1)) == [True]


def test_a_term_must_match_in_number_and_token(store: Store) -> None:
    stored, term = put(store), lead(store)
    for wrong in (Term(term.number, "other"), Term(term.number + 1, term.token)):
        with pytest.raises(Deposed):
            store.claim([step(store, stored)], wrong, at(1))
    assert row(store) == stored


def test_a_ledger_without_a_term_refuses_every_claim(store: Store) -> None:
    stored = put(store)
    with pytest.raises(Deposed):
        store.claim([step(store, stored)], Term(1, "token"), at(1))


def test_a_deposed_leader_does_nothing_of_its_batch(
    store: Store, reopen: Callable[[], Store]
) -> None:
    rows = put_many(store, ["a", "b"])
    old = lead(store)
    lead(reopen())
    request = request_of(rows[0])
    store.add_requests([request])
    moves = [*(step(store, stored) for stored in rows), asked(store, request, rows[0])]
    with pytest.raises(Deposed):
        store.claim(moves, old, at(1))
    assert [row(store, name) for name in "ab"] == rows
    assert store.requests(10) == [(request, rows[0])]
    assert not past(store)


# recording


def test_a_confirmed_run_is_published(store: Store) -> None:
    term = lead(store)
    run = claimed(store, put(store), term)
    store.record([told(run, when=0.25)])
    assert not open_claims(store)
    (record,) = past(store)
    assert (record.name, record.planned, record.state) == ("tidy", at(0), "published")
    assert (record.task_id, record.published, record.reason) == (run.task_id, at(0.25), "")
    assert record.late == pytest.approx(0.25, abs=1e-6)
    assert (record.count, record.until, record.term) == (1, None, term.number)


def test_lateness_counts_from_due_and_not_from_planned(store: Store) -> None:
    store.write([Change("tidy", 0, entry(), Plan(at(0), at(5), "mark", "1"))])
    stored = row(store)
    run = replace(run_of(store, stored), due=at(5))
    claimed(store, stored, lead(store), run=run)
    store.record([told(run, when=5.5)])
    assert past(store)[0].late == pytest.approx(0.5, abs=1e-6)


def test_a_rejected_run_has_failed_with_its_reason(store: Store) -> None:
    run = claimed(store, put(store), lead(store))
    store.record([told(run, "rejected", reason="no queue 'ä' 🐝")])
    (record,) = past(store)
    assert (record.state, record.reason) == ("failed", "no queue 'ä' 🐝")
    assert (record.task_id, record.published, record.late) == (run.task_id, None, None)
    assert not open_claims(store)


def test_an_unknown_outcome_leaves_the_claim_open(store: Store) -> None:
    run = claimed(store, put(store), lead(store))
    before = open_claims(store)
    store.record([told(run, "unknown", reason="timed out")])
    assert open_claims(store) == before
    assert [record.state for record in past(store)] == ["claimed"]


def test_an_unsent_run_leaves_its_claim_open_and_marked(store: Store) -> None:
    run = claimed(store, put(store), lead(store), when=1)
    assert not store.unknowns(at(1), 10)
    store.record([told(run, "unsent", reason="connection refused")])
    for before in (at(1), EPOCH):
        (claim,) = store.unknowns(before, 10)
        assert claim.unsent
    assert claim.claimed_at == at(1)


def test_recording_twice_changes_nothing(store: Store) -> None:
    run = claimed(store, put(store), lead(store))
    for sent in ("confirmed", "confirmed", "rejected", "unsent", "unknown"):
        store.record([told(run, sent)])
    (record,) = past(store)
    assert (record.state, record.published) == ("published", at(2))
    assert not open_claims(store)


def test_a_batch_records_each_outcome(store: Store) -> None:
    rows = put_many(store, ["a", "b", "c", "d"])
    term = lead(store)
    runs = [claimed(store, stored, term) for stored in rows]
    sent = ["confirmed", "rejected", "unsent", "unknown"]
    store.record([told(run, how) for run, how in zip(runs, sent, strict=True)])
    states = {record.name: record.state for record in past(store)}
    assert states == {"a": "published", "b": "failed", "c": "claimed", "d": "claimed"}
    assert {c.occurrence.name: c.unsent for c in open_claims(store)} == {"c": True, "d": False}
    store.record([])


def test_a_deposed_leader_may_still_record(store: Store) -> None:
    run = claimed(store, put(store), lead(store, "old"))
    lead(store, "new")
    store.record([told(run)])
    assert [record.state for record in past(store)] == ["published"]


def test_published_overrides_a_skip_for_being_unknown(store: Store) -> None:
    term = lead(store)
    run = claimed(store, put(store), term)
    (claim,) = open_claims(store)
    assert store.claim([closed(claim, "unknown")], term, at(9)) == [True]
    (skipped,) = past(store)
    assert (skipped.state, skipped.reason, skipped.task_id) == ("skipped", "unknown", run.task_id)
    store.record([told(run, when=10)])
    (record,) = past(store)
    assert (record.state, record.reason, record.published) == ("published", "", at(10))


def test_a_late_failure_does_not_override_a_skip(store: Store) -> None:
    term = lead(store)
    run = claimed(store, put(store), term)
    store.claim([closed(open_claims(store)[0], "unknown")], term, at(9))
    store.record([told(run, "rejected", when=10)])
    assert [record.state for record in past(store)] == ["skipped"]


def test_published_overrides_a_failure(store: Store) -> None:
    run = claimed(store, put(store), lead(store))
    store.record([told(run, "rejected")])
    store.record([told(run, "confirmed", when=3)])
    assert [record.state for record in past(store)] == ["published"]


def test_published_is_a_fact_even_where_the_claim_is_not_known(store: Store) -> None:
    lead(store)
    run = run_of(store, put(store))
    store.record([told(run)])
    store.record([told(run)])
    assert [(r.state, r.task_id) for r in past(store)] == [("published", run.task_id)]


def test_an_old_result_does_not_touch_a_claim_made_anew(store: Store) -> None:
    term = lead(store)
    run = claimed(store, put(store), term, when=1)
    (claim,) = open_claims(store)
    assert store.claim([again(claim, store)], term, at(7)) == [True]
    (renewed,) = open_claims(store)
    for sent in ("unsent", "rejected"):
        store.record([told(run, sent, when=8, claimed_at=at(1))])
        assert open_claims(store) == [renewed]
    store.record([told(run, "confirmed", when=8, claimed_at=at(1))])
    assert not open_claims(store)
    assert [record.state for record in past(store)] == ["published"]


def test_a_result_of_this_claim_counts(store: Store) -> None:
    run = claimed(store, put(store), lead(store), when=1)
    store.record([told(run, "unsent", claimed_at=at(1))])
    assert [claim.unsent for claim in open_claims(store)] == [True]
    store.record([told(run, "rejected", claimed_at=at(1))])
    assert [record.state for record in past(store)] == ["failed"]


# unknowns


def test_only_claims_made_before_the_moment_are_unknown(store: Store) -> None:
    term = lead(store)
    for n, stored in enumerate(put_many(store, ["a", "b", "c"])):
        claimed(store, stored, term, when=n)
    found = store.unknowns(at(2), 10)
    assert [claim.occurrence.name for claim in found] == ["a", "b"]
    assert len(store.unknowns(at(2.000001), 10)) == 3


def test_the_oldest_claim_comes_first_and_the_limit_holds(store: Store) -> None:
    term = lead(store)
    rows = put_many(store, ["a", "b", "c"])
    for when, stored in zip((3, 1, 2), rows, strict=True):
        claimed(store, stored, term, when=when)
    assert [claim.occurrence.name for claim in store.unknowns(at(9), 10)] == ["b", "c", "a"]
    assert [claim.occurrence.name for claim in store.unknowns(at(9), 2)] == ["b", "c"]


def test_claims_of_rows_that_move_while_they_are_read_are_all_unknown(
    store: Store, reopen: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = put_many(store, [f"e{number:04}" for number in range(1100)])
    term, decode, moved = lead(store), codec.decode, list[bool]()
    store.claim([step(store, one) for one in rows], term, at(1))
    reader = reopen()
    later = list(reader.find(Query()))
    reader.drop_cached([one.entry.name for one in later])

    def move_first(*args: Any) -> Entry:
        if not moved:
            moved.append(True)  # before the claim, which may decode an entry itself
            moves = [replace(step(store, one, 20), run=None, counts=0) for one in later]
            moved.extend(store.claim(moves, term, at(2)))
        return decode(*args)

    with monkeypatch.context() as patch:
        patch.setattr(codec, "decode", move_first)
        assert len(reader.unknowns(FOREVER, 10_000)) == 1100
    assert moved == [True] * 1101


def test_open_claims_are_counted_whoever_can_read_their_entries(
    store: Store, reopen: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.open_claims() == 0
    rows = put_many(store, [f"e{number:04}" for number in range(3000)])
    term = lead(store)
    runs = [run_of(store, one) for one in rows]
    store.claim([step(store, one) for one in rows], term, at(1))

    def newer(name: str, *_: object) -> Entry:
        raise ConfigError(f"{name}: written by a newer program")

    with monkeypatch.context() as patch:
        patch.setattr(codec, "decode", newer)
        reader = reopen()
        assert reader.open_claims() == 3000
        store.record([told(run) for run in runs[:1000]])
        store.record([told(runs[1000], "unsent"), told(runs[1001], "unknown")])
        assert reader.open_claims() == 2000
        assert status_shared_by(reader, at(2))["unknowns"] == 2000


def test_an_unknown_is_claimed_anew_under_its_own_id(store: Store) -> None:
    run = claimed(store, put(store), lead(store, "old"), when=1)
    term = lead(store, "new")
    (claim,) = open_claims(store)
    assert store.claim([again(claim, store)], term, at(7)) == [True]
    (renewed,) = open_claims(store)
    assert (renewed.task_id, renewed.occurrence) == (run.task_id, run.occurrence)
    assert (renewed.claimed_at, renewed.term, renewed.unsent) == (at(7), term.number, False)
    assert row(store).runs == 1
    assert not store.unknowns(at(7), 10)
    assert store.claim([again(claim, store)], term, at(8)) == [False]


def test_a_claim_anew_is_unsent_no_more(store: Store) -> None:
    term = lead(store)
    run = claimed(store, put(store), term, when=1)
    store.record([told(run, "unsent")])
    (claim,) = open_claims(store)
    store.claim([again(claim, store)], term, at(3))
    assert [claim.unsent for claim in open_claims(store)] == [False]


def test_an_open_claim_is_closed_by_its_skip(store: Store) -> None:
    term = lead(store)
    run = claimed(store, put(store), term)
    (claim,) = open_claims(store)
    assert store.claim([closed(claim, "paused")], term, at(9)) == [True]
    assert store.claim([closed(claim, "paused")], term, at(9)) == [False]
    assert not open_claims(store)
    (record,) = past(store)
    assert (record.planned, record.state, record.reason) == (at(0), "skipped", "paused")
    assert record.task_id == run.task_id


def test_a_closed_claim_is_not_claimed_anew(store: Store) -> None:
    term = lead(store)
    run = claimed(store, put(store), term)
    (claim,) = open_claims(store)
    store.record([told(run)])
    assert store.claim([again(claim, store)], term, at(9)) == [False]
    assert store.claim([closed(claim, "late")], term, at(9)) == [False]
    assert [record.state for record in past(store)] == ["published"]


def test_an_open_claim_is_not_sent_again_from_an_old_definition(store: Store) -> None:
    term, stored = lead(store), put(store)
    claimed(store, stored, term)
    (claim,) = open_claims(store)
    store.write([Change("tidy", stored.revision, entry(args=[2]))])
    assert store.claim([again(claim, store)], term, at(9)) == [False]
    (fresh,) = open_claims(store)
    assert store.claim([again(fresh, store)], term, at(9)) == [True]


def test_the_open_claim_of_a_removed_entry_stays_without_it(store: Store) -> None:
    term, stored = lead(store), put(store)
    run = claimed(store, stored, term)
    store.write([Change("tidy", stored.revision, None)])
    (claim,) = open_claims(store)
    assert (claim.stored, claim.task_id) == (None, run.task_id)
    assert store.claim([closed(claim, "removed")], term, at(9)) == [True]
    assert [record.reason for record in past(store)] == ["removed"]


def test_two_moments_of_one_entry_may_be_open_at_once(store: Store) -> None:
    term = lead(store)
    one = claimed(store, put(store), term, following=10)
    two = claimed(store, row(store), term, when=11, following=20)
    assert [claim.occurrence.planned for claim in open_claims(store)] == [at(0), at(10)]
    store.record([told(two)])
    assert [claim.task_id for claim in open_claims(store)] == [one.task_id]


# requests


def test_a_request_is_pending_with_its_entry(store: Store) -> None:
    stored = put(store)
    request = request_of(stored)
    store.add_requests([request])
    assert store.requests(10) == [(request, stored)]


def test_requests_come_in_the_order_they_were_asked_for(store: Store) -> None:
    rows = put_many(store, ["b", "a", "c"])
    requests = [request_of(stored, first=9 - n) for n, stored in enumerate(rows)]
    store.add_requests(requests[:2])
    store.add_requests(requests[2:])
    assert [request for request, _ in store.requests(10)] == requests
    assert [request for request, _ in store.requests(2)] == requests[:2]


def test_a_request_asked_for_twice_is_pending_once(store: Store) -> None:
    request = request_of(put(store))
    store.add_requests([request])
    store.add_requests([request])
    assert [found for found, _ in store.requests(10)] == [request]


def test_a_trigger_runs_beside_the_plan(store: Store) -> None:
    stored, term = put(store, planned=50), lead(store)
    request = request_of(stored)
    store.add_requests([request])
    move = asked(store, request, stored)
    assert store.claim([move], term, at(1)) == [True]
    assert store.claim([move], term, at(1)) == [False]
    assert row(store) == stored
    assert not store.requests(10)
    (claim,) = open_claims(store)
    assert claim.occurrence == Occurrence("tidy", at(0), request.id)
    assert move.run is not None
    store.record([told(move.run)])
    assert [(r.planned, r.state, r.task_id) for r in past(store)] == [
        (at(0), "published", move.run.task_id)
    ]


def test_a_trigger_at_a_planned_moment_is_another_run(store: Store) -> None:
    stored, term = put(store), lead(store)
    request = request_of(stored)
    store.add_requests([request])
    moves = [step(store, stored), asked(store, request, stored)]
    assert store.claim(moves, term, at(1)) == [True, True]
    assert len({claim.task_id for claim in open_claims(store)}) == 2
    assert row(store).runs == 1


@pytest.mark.parametrize("change", [{"paused": True}, {"enabled": False}])
def test_a_trigger_runs_though_its_entry_is_paused_or_disabled(
    store: Store, change: dict[str, bool]
) -> None:
    stored, term = put(store), lead(store)
    paused = change.get("paused", False)
    edited = entry(enabled=change.get("enabled", True))
    store.write([Change("tidy", stored.revision, edited, paused=paused)])
    request = request_of(row(store))
    store.add_requests([request])
    assert store.claim([asked(store, request, row(store))], term, at(1)) == [True]


def test_a_request_moves_on_moment_by_moment(store: Store) -> None:
    stored, term = put(store, planned=50), lead(store)
    request = request_of(stored, "backfill", 0, 20)
    store.add_requests([request])
    assert store.claim([asked(store, request, stored, first=at(10))], term, at(60)) == [True]
    assert store.claim([asked(store, request, stored, first=at(10))], term, at(60)) == [False]
    ((moved, _),) = store.requests(10)
    assert moved == replace(request, first=at(10))
    assert store.claim([asked(store, moved, stored)], term, at(60)) == [True]
    assert not store.requests(10)
    assert len(open_claims(store)) == 2


def test_a_request_keeps_its_place_while_it_is_worked_off(store: Store) -> None:
    stored, term = put(store, planned=50), lead(store)
    requests = [request_of(stored, "backfill", 0, 20), request_of(stored)]
    store.add_requests(requests)
    store.claim([asked(store, requests[0], stored, first=at(10))], term, at(60))
    assert [found.id for found, _ in store.requests(10)] == [r.id for r in requests]


def test_a_request_may_end_with_a_skip(store: Store) -> None:
    stored, term = put(store, planned=50), lead(store)
    request = request_of(stored, "backfill", 0, 20)
    store.add_requests([request])
    skip = Skip(at(0), at(20), 3, "too old")
    move = asked(store, request, stored, run=None, skips=(skip,))
    assert store.claim([move], term, at(60)) == [True]
    assert not store.requests(10)
    assert [(r.state, r.reason, r.count) for r in past(store)] == [("skipped", "too old", 3)]


def test_a_request_is_not_run_from_an_old_definition(store: Store) -> None:
    stored, term = put(store), lead(store)
    request = request_of(stored)
    store.add_requests([request])
    store.write([Change("tidy", stored.revision, entry(args=[2]))])
    assert store.claim([asked(store, request, stored)], term, at(1)) == [False]
    ((pending, fresh),) = store.requests(10)
    assert fresh == row(store)
    assert store.claim([asked(store, pending, row(store))], term, at(1)) == [True]


def test_a_backlog_counts_its_runs(store: Store) -> None:
    stored, term = put(store), lead(store)
    backlog = request_of(stored, "backlog", 0, 20)
    move = step(store, stored, 30, run=None, counts=0, backlog=backlog)
    assert store.claim([move], term, at(25)) == [True]
    ((pending, owing),) = store.requests(10)
    assert (pending, owing) == (backlog, row(store))
    oldest = asked(store, pending, row(store), first=at(10), counts=1)
    assert store.claim([oldest], term, at(25)) == [True]
    assert (row(store).runs, row(store).last) == (1, at(0))
    assert open_claims(store)[0].occurrence == Occurrence("tidy", at(0))


def test_the_last_run_is_the_newest_moment_whatever_the_order(store: Store) -> None:
    stored, term = put(store), lead(store)
    backlog = request_of(stored, "backlog", -20, -10)
    store.add_requests([backlog])
    claimed(store, stored, term)
    store.claim([asked(store, backlog, row(store), counts=1)], term, at(2))
    assert (row(store).runs, row(store).last) == (2, at(0))


def test_runs_of_plan_and_backlog_in_one_batch_both_count(store: Store) -> None:
    stored, term = put(store), lead(store)
    backlog = request_of(stored, "backlog", -20, -10)
    store.add_requests([backlog])
    moves = [step(store, stored), asked(store, backlog, stored, counts=1)]
    assert store.claim(moves, term, at(1)) == [True, True]
    assert (row(store).runs, row(store).last) == (2, at(0))


def test_an_edit_of_when_drops_the_backlog(store: Store) -> None:
    stored = put(store)
    backlog, trigger = request_of(stored, "backlog", 0, 20), request_of(stored)
    store.add_requests([backlog, trigger])
    store.write([edit(stored, entry(every="1m"), plan(60, "other"))])
    assert [request for request, _ in store.requests(10)] == [trigger]
    (record,) = past(store)
    assert (record.state, record.reason) == ("skipped", "edited")
    assert (record.planned, record.until, record.at_least) == (at(0), at(20), True)


@pytest.mark.parametrize("stopped", ["paused", "disabled", "finished"])
def test_what_goes_on_drops_the_backlog_that_waited(store: Store, stopped: str) -> None:
    """A plan that counts from a clock set back would claim its moments once more."""
    stored = put(store)
    backlog, trigger = request_of(stored, "backlog", 0, 20), request_of(stored)
    store.add_requests([backlog, trigger])
    off, ended = entry(enabled=stopped != "disabled"), plan(None) if stopped == "finished" else None
    store.write([edit(stored, off, ended, paused=stopped == "paused")])
    assert [request for request, _ in store.requests(10)] == [backlog, trigger]
    assert store.write([edit(row(store), entry(), plan(10))]) == [True]
    assert [request for request, _ in store.requests(10)] == [trigger]
    (record,) = past(store)
    assert (record.state, record.reason, record.planned) == ("skipped", "resumed", at(0))


def test_an_edit_that_leaves_when_alone_keeps_the_backlog(store: Store) -> None:
    stored = put(store)
    backlog = request_of(stored, "backlog", 0, 20)
    store.add_requests([backlog])
    store.write([edit(stored, entry(args=[2]))])
    store.write([edit(row(store), entry(args=[2]), plan(70))])
    store.write([edit(row(store), entry(args=[2]), plan(70), paused=True)])
    assert [request for request, _ in store.requests(10)] == [backlog]
    assert not past(store)


def test_what_is_asked_for_by_hand_can_be_called_off(store: Store) -> None:
    stored, other = put_many(store, ["tidy", "other"])
    backlog, running, rest = (
        request_of(stored, kind, 0, 20) for kind in ("backlog", "backfill", "backfill")
    )
    elsewhere = request_of(other, "backfill", 0, 20)
    store.add_requests([backlog, running, rest, elsewhere])
    ahead = asked(store, running, stored, first=at(10))
    off = Change("tidy", stored.revision, stored.entry, calls_off=True)
    assert store.write([replace(off, seen=99), off]) == [False, True]
    assert [request for request, _ in store.requests(10)] == [backlog, elsewhere]
    told = [(r.reason, r.planned, r.until, r.at_least) for r in past(store, "tidy")]
    assert told == [("called off", at(0), at(20), True)] * 2
    assert store.claim([ahead], lead(store), at(30)) == [False]
    assert row(store).plan == stored.plan


def test_removing_an_entry_drops_its_requests_and_says_so(store: Store) -> None:
    a, b = put_many(store, ["a", "b"])
    requests = [request_of(a, "backlog", 0, 20), request_of(a, "trigger", 5, 5), request_of(b)]
    store.add_requests(requests)
    store.write([Change("a", a.revision, None)])
    assert [request for request, _ in store.requests(10)] == [requests[2]]
    assert {(r.name, r.state, r.reason, r.planned) for r in past(store)} == {
        ("a", "skipped", "removed", at(0)),
        ("a", "skipped", "removed", at(5)),
    }


def test_a_request_for_what_is_gone_comes_without_an_entry(store: Store) -> None:
    stored, term = put(store), lead(store)
    store.write([Change("tidy", stored.revision, None)])
    request = request_of(stored)
    store.add_requests([request])
    assert store.requests(10) == [(request, None)]
    end = Move(
        of="request",
        name="tidy",
        revision=0,
        seen=request.first,
        request=request,
        skips=(Skip(at(0), at(0), 1, "removed"),),
    )
    assert store.claim([end], term, at(1)) == [True]
    assert not store.requests(10)
    assert [record.reason for record in past(store)] == ["removed"]


def test_a_thousand_requests_are_asked_for_and_worked_off_at_once(store: Store) -> None:
    stored, term = put(store), lead(store)
    requests = [request_of(stored, first=n, last=n) for n in range(1000)]
    store.add_requests(requests)
    assert [request for request, _ in store.requests(1000)] == requests
    moves = [asked(store, request, stored) for request in requests]
    assert store.claim(moves, term, at(1)) == [True] * 1000
    assert len(open_claims(store)) == 1000
    assert not store.requests(10)


def test_all_three_kinds_of_move_go_in_one_batch(store: Store) -> None:
    stored, term = put(store), lead(store)
    claimed(store, stored, term, when=1)
    (claim,) = open_claims(store)
    request = request_of(row(store))
    store.add_requests([request])
    moves = [
        again(claim, store),
        step(store, row(store), 20),
        asked(store, request, row(store)),
    ]
    assert store.claim(moves, term, at(11)) == [True, True, True]
    assert len(open_claims(store)) == 3
    assert {claim.claimed_at for claim in open_claims(store)} == {at(11)}


# exactness


def test_claims_and_results_keep_their_microseconds(store: Store) -> None:
    tick = timedelta(microseconds=1)
    term = lead(store)
    stored = put(store, planned=at(0) + tick)
    move = step(store, stored, following=at(10) - tick)
    store.claim([move], term, at(1) + tick)
    (claim,) = open_claims(store)
    assert (claim.due, claim.claimed_at) == (at(0) + tick, at(1) + tick)
    assert row(store).plan.planned == at(10) - tick
    assert move.run is not None
    store.record([told(move.run, when=2.000003)])
    assert past(store)[0].published == at(2.000003)


# what a process remembers


def test_what_is_read_ahead_takes_the_memory_of_one_revision(store: Store) -> None:
    """As many edits of large arguments as one likes; only the newest is remembered."""
    size, edits = 50_000, 30
    stored = put(store, kwargs={"text": "x" * size})
    tracemalloc.start()
    try:
        for number in range(edits):
            made = entry(kwargs={"text": str(number) + "x" * size})
            assert store.write([edit(stored, made)]) == [True]
            (stored,) = store.upcoming(10)
            assert stored.entry.kwargs == made.kwargs
            if number == 4:
                before, _ = tracemalloc.get_traced_memory()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < size * 5


def test_an_entry_dropped_from_the_cache_is_read_again(store: Store) -> None:
    stored = put(store, kwargs={"a": 1})
    assert list(store.upcoming(10)) == [stored]
    store.drop_cached(["tidy", "unknown"])
    assert list(store.upcoming(10)) == [stored]
