"""The contract of History, kept by every store."""

from typing import Any

import pytest
from msgspec.structs import replace

from beatd.catalog import Change
from beatd.run import Skip
from beatd.store import Store
from tests.stores.making import (
    asked,
    at,
    claimed,
    edit,
    lead,
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


def fill(store: Store, count: int) -> None:
    """One published record for each second from 1 on, of one entry."""
    put(store, planned=0)
    term = lead(store)
    for n in range(count):
        run = claimed(store, row(store), term, when=n + 0.5, following=n + 1)
        store.record([told(run, when=n + 1)])


def test_there_is_no_history_at_first(store: Store) -> None:
    assert past(store) == []


def test_the_newest_comes_first(store: Store) -> None:
    fill(store, 4)
    assert [record.planned for record in past(store)] == [at(3), at(2), at(1), at(0)]


def test_the_limit_holds(store: Store) -> None:
    fill(store, 4)
    assert [record.planned for record in store.history(None, 2)] == [at(3), at(2)]
    assert len(list(store.history("tidy", 50))) == 4


def test_history_is_told_of_one_name(store: Store) -> None:
    term = lead(store)
    for stored in put_many(store, ["a", "A", "a*", "b"]):
        claimed(store, stored, term)
    assert [record.name for record in store.history("a", None)] == ["a"]
    assert [record.name for record in store.history("a*", None)] == ["a*"]
    assert list(store.history("none", None)) == []


def test_an_open_claim_is_told_as_claimed_among_the_others(store: Store) -> None:
    fill(store, 2)
    term = lead(store, "two")
    run = claimed(store, row(store), term, when=2.5, following=3)
    move = step(store, row(store), 9, run=None, counts=0, skips=(Skip(at(3), at(3), 1, "late"),))
    store.claim([move], term, at(8))
    found = past(store)
    assert [record.state for record in found] == ["skipped", "claimed", "published", "published"]
    assert found[1].task_id == run.task_id
    assert found[1].term == term.number
    assert (found[1].published, found[1].late, found[1].count) == (None, None, 1)


def test_a_run_has_one_record_however_it_ended(store: Store) -> None:
    fill(store, 3)
    assert len({record.task_id for record in past(store)}) == 3
    assert len(past(store)) == 3


def test_history_of_a_removed_entry_stays(store: Store) -> None:
    fill(store, 1)
    store.write([Change("tidy", row(store).revision, None)])
    assert [(r.name, r.state) for r in store.history("tidy", None)] == [("tidy", "published")]


def test_old_records_are_forgotten(store: Store) -> None:
    fill(store, 5)  # written at 1, 2, 3, 4, 5
    assert store.forget(at(3), 1000) == 2
    assert [record.planned for record in past(store)] == [at(4), at(3), at(2)]
    assert store.forget(at(3), 1000) == 0


def test_old_arguments_of_requested_runs_are_forgotten(store: Store) -> None:
    store.marks.write_arguments("args-old", "{}", at(1))
    store.marks.write_arguments("args-new", "{}", at(10))
    store.marks.write_rules("of then", at(1))
    store.forget(at(5), 1000)
    assert (store.marks.arguments("args-old"), store.marks.arguments("args-new")) == (None, "{}")
    assert store.marks.rules() == "of then"


def test_all_but_the_newest_are_forgotten(store: Store) -> None:
    fill(store, 5)
    assert store.forget(at(-100), 2) == 3
    assert [record.planned for record in past(store)] == [at(4), at(3)]
    assert store.forget(at(-100), 0) == 2
    assert past(store) == []


def test_age_and_count_both_hold(store: Store) -> None:
    fill(store, 5)
    assert store.forget(at(2), 2) == 3
    assert [record.planned for record in past(store)] == [at(4), at(3)]


def test_open_claims_are_never_forgotten(store: Store) -> None:
    fill(store, 2)
    run = claimed(store, row(store), lead(store), when=2.5, following=3)
    assert store.forget(at(1000), 0) == 2
    assert [record.task_id for record in past(store)] == [run.task_id]
    assert len(open_claims(store)) == 1
    store.record([told(run)])
    assert [record.state for record in past(store)] == ["published"]


def test_recording_goes_on_after_forgetting(store: Store) -> None:
    fill(store, 2)
    store.forget(at(1000), 0)
    run = claimed(store, row(store), lead(store), when=2.5, following=3)
    store.record([told(run, when=3)])
    store.record([told(run, when=3)])
    assert [record.planned for record in past(store)] == [at(2)]


def test_thousands_are_forgotten_at_once(store: Store) -> None:
    stored, term = put(store), lead(store)
    skips = tuple(Skip(at(n), at(n), 1, "late") for n in range(2500))
    store.claim([step(store, stored, 3000, run=None, counts=0, skips=skips)], term, at(2600))
    assert store.forget(at(9999), 0) == 2500
    assert past(store) == []


def test_what_is_dropped_with_its_entry_is_in_the_history(store: Store) -> None:
    stored = put(store)
    store.add_requests([request_of(stored, "backlog", 0, 20)])
    assert store.write([edit(stored, stored.entry, plan(50, "two"))]) == [True]
    assert [(r.state, r.reason) for r in store.history("tidy", 1)] == [("skipped", "edited")]


def test_a_history_left_unread_holds_nothing_up(store: Store) -> None:
    fill(store, 3)
    stream = store.history(None, None)
    next(stream)
    assert put(store, "other").entry.name == "other"


# why a run was there


@pytest.mark.parametrize("origin", ["planned", "trigger", "backfill", "catch-up", "resend"])
def test_a_record_has_the_origin_of_its_run(store: Store, origin: Any) -> None:
    stored = put(store)
    run = replace(run_of(store, stored), origin=origin)
    claimed(store, stored, lead(store), run=run)
    assert [(record.state, record.origin) for record in past(store)] == [("claimed", origin)]
    store.record([told(run)])
    assert [(record.state, record.origin) for record in past(store)] == [("published", origin)]


def test_origins_differ_within_a_batch(store: Store) -> None:
    origins: dict[str, Any] = {"a": "planned", "b": "catch-up", "c": "planned", "d": "trigger"}
    term, runs = lead(store), []
    for stored in put_many(store, origins):
        run = replace(run_of(store, stored), origin=origins[stored.entry.name])
        runs.append(claimed(store, stored, term, run=run))
    sent = ["confirmed", "confirmed", "rejected", "rejected"]
    store.record([told(run, how) for run, how in zip(runs, sent, strict=True)])
    assert {record.name: record.origin for record in past(store)} == origins


@pytest.mark.parametrize(
    ("kind", "origin"),
    [("trigger", "trigger"), ("backfill", "backfill"), ("backlog", "catch-up")],
)
def test_a_skipped_request_has_the_origin_of_its_kind(store: Store, kind: Any, origin: str) -> None:
    stored, term = put(store, planned=50), lead(store)
    requests = [request_of(stored, kind), request_of(stored, kind, 10, 10)]
    store.add_requests(requests)
    skip = Skip(at(0), at(0), 1, "too old")
    move = asked(store, requests[0], stored, run=None, skips=(skip,))
    assert store.claim([move], term, at(60)) == [True]
    assert store.write([Change("tidy", stored.revision, None)]) == [True]
    assert [(record.reason, record.origin) for record in past(store)] == [
        ("removed", origin),
        ("too old", origin),
    ]
