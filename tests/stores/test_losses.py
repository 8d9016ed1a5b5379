"""A store that lost a part of what it kept: it says which entries, and takes them anew."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from beatd.catalog import Change, Query
from beatd.edits.repair import repair_entries
from beatd.errors import Deposed
from beatd.run import Running
from beatd.store import Store
from tests.stores.changing import pause_of, stop
from tests.stores.losses import lose
from tests.stores.making import (
    NOON,
    at,
    claimed,
    lead,
    names,
    past,
    plan,
    put,
    put_many,
    request_of,
    row,
)
from tests.stores.running_runs import UNTIL, delivery, put_queued, started, waiting

PARTS = pytest.mark.parametrize("part", ["definitions", "plans"])


def incomplete(store: Store) -> list[str]:
    return sorted(one.name for one in store.missing_parts(100, whole=True))


def test_a_store_that_lost_nothing_says_so(store: Store) -> None:
    put_many(store, ["a", "b"])
    assert (
        list(store.missing_parts(100, whole=True))
        == list(store.missing_parts(100, whole=False))
        == []
    )


@PARTS
@pytest.mark.parametrize("whole", [True, False])
def test_entries_that_lost_a_part_are_told(store: Store, part: str, whole: bool) -> None:
    put_many(store, ["a", "b", "c"])
    lose(store, part)
    found = store.missing_parts(100, whole=whole)
    assert sorted(one.name for one in found) == ["a", "b", "c"]
    assert all((one.entry is None) == (part == "definitions") for one in found)
    assert len(store.missing_parts(2, whole=whole)) == 2


@PARTS
def test_what_is_left_of_them_is_no_entry_and_harms_no_other(store: Store, part: str) -> None:
    put_many(store, ["a", "b", "c"])
    lose(store, part, "b")
    assert incomplete(store) == ["b"]
    assert names(store.find(Query())) == ["a", "c"]
    assert names(store.upcoming(10)) == ["a", "c"]
    assert store.problems()


@PARTS
def test_they_are_put_as_if_there_were_none(store: Store, part: str) -> None:
    put_many(store, ["a", "b"])
    before, version = row(store, "a"), store.version()
    lose(store, part, "a")
    put(store, "a", planned=30)
    assert incomplete(store) == []
    assert (row(store, "a").plan.planned, row(store, "a").runs) == (plan(30).planned, 0)
    assert row(store, "a").revision > before.revision and store.version() != version
    assert names(store.find(Query(source="cli"))) == ["a", "b"]


@PARTS
def test_they_may_come_back_under_another_owner(store: Store, part: str) -> None:
    put(store, "a")
    lose(store, part)
    put(store, "a", source="yaml:config")
    assert names(store.find(Query(source="cli"))) == []
    assert names(store.find(Query(source="yaml:config"))) == ["a"]


@PARTS
def test_what_is_left_can_be_removed(store: Store, part: str) -> None:
    put_many(store, ["a", "b"])
    version = store.version()
    lose(store, part, "a")
    assert list(store.write([Change("a", 0, None)])) == [True]
    assert (incomplete(store), store.count(), names(store.find(Query()))) == ([], 1, ["b"])
    assert store.version() != version


@PARTS
def test_what_is_left_is_removed_with_its_requests(store: Store, part: str) -> None:
    store.add_requests([request_of(put(store, "a"))])
    lose(store, part, "a")
    assert list(store.write([Change("a", 0, None)])) == [True]
    assert list(store.requests(10)) == []
    assert [record.reason for record in past(store)] == ["removed"]


@PARTS
def test_a_new_plan_in_place_of_a_lost_one_ends_the_backlog(store: Store, part: str) -> None:
    stored = put(store, "a")
    store.add_requests([request_of(stored, "trigger"), request_of(stored, "backlog")])
    lose(store, part, "a")
    put(store, "a", planned=30)
    assert [request.kind for request, _ in store.requests(10)] == ["trigger"]
    assert [record.reason for record in past(store)] == ["edited"]


@PARTS
def test_a_run_is_still_running_when_a_lost_part_was_replaced(store: Store, part: str) -> None:
    run = started(store, put_queued(store), lead(store))
    store.write_outcomes([delivery(run, "started")], at(4))
    before, outcomes = store.running(None), store.entry_outcomes(None)
    lose(store, part, "tidy")
    put_queued(store, planned=30)
    assert store.running(None) == before and store.entry_outcomes(None) == outcomes
    lose(store, part, "tidy")
    assert list(store.write([Change("tidy", 0, None)])) == [True]
    assert store.running(None) == {} and store.entry_outcomes(None) == {}


@PARTS
def test_an_entry_waits_no_longer_when_a_lost_part_was_replaced(store: Store, part: str) -> None:
    term = lead(store)
    run = started(store, put_queued(store), term)
    assert list(store.claim([waiting(store, row(store, "tidy"))], term, at(2))) == [True]
    lose(store, part, "tidy")
    put_queued(store, planned=30)
    assert row(store, "tidy").running == Running(run.task_id, at(1), UNTIL, waits=False)


def test_an_entry_that_lost_its_plan_is_still_paused(store: Store) -> None:
    put(store, "a")
    stop(store, "a", pause_of(60, "deploy"))
    lose(store, "plans", "a")
    assert [one.paused for one in store.missing_parts(10, whole=True)] == [True]
    repair_entries(store, lambda: NOON, whole=True)
    assert (row(store, "a").paused, row(store, "a").pause) == (True, pause_of(60, "deploy"))
    assert list(store.upcoming(10)) == [] and list(store.ending_pauses(at(61), 10)) == ["a"]


def test_a_lost_plan_is_made_anew_from_now(store: Store) -> None:
    put_many(store, ["a", "b"])
    lose(store, "plans")
    (line,) = repair_entries(store, lambda: NOON, whole=True)
    assert line.startswith("2 entries had lost their plans and were planned from now (a, b)")
    assert names(store.upcoming(10)) == ["a", "b"]
    assert row(store, "a").plan.due == NOON + timedelta(seconds=10)
    assert repair_entries(store, lambda: NOON, whole=True) == []


def test_one_entry_with_a_loss_is_named_without_a_count(store: Store) -> None:
    put(store, "a")
    lose(store, "plans")
    assert repair_entries(store, lambda: NOON, whole=True) == [
        "a had lost its plan and was planned from now; how often it ran is lost"
    ]
    lose(store, "definitions")
    (line,) = repair_entries(store, lambda: NOON, whole=True)
    assert line.startswith("a had lost its definition; if a file or an app declares it, it is")


def test_what_is_left_of_lost_definitions_is_cleared_away_and_said(store: Store) -> None:
    put_many(store, ["a", "b"])
    lose(store, "definitions")
    (line,) = repair_entries(store, lambda: NOON, whole=True)
    assert line.startswith("2 entries had lost their definitions (a, b)")
    assert (incomplete(store), store.count()) == ([], 0)


def test_after_a_lost_term_nobody_claims_until_one_is_issued(
    store: Store, reopen: Callable[[], Store]
) -> None:
    stored, term, namespace = put(store, "a"), lead(store), store.namespace
    lose(store, "terms")
    with pytest.raises(Deposed):
        claimed(store, stored, term)
    assert store.term() is None
    fresh = lead(store)
    assert (store.namespace, reopen().namespace) == (namespace, namespace)
    claimed(store, stored, fresh)


def test_a_store_without_its_terms_opens_and_counts_on(
    store: Store, reopen: Callable[[], Store]
) -> None:
    before = put(store, "a")
    lead(store)
    lose(store, "terms")
    again = reopen()
    lead(again)
    assert row(again, "a").entry == before.entry
    assert put(again, "b").revision > before.revision
    if again.namespace != store.namespace:
        (line,) = again.losses()
        assert "was lost" in line and line in again.problems()
