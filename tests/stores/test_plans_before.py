"""The contract of reading only when entries run, kept by every store."""

from typing import Any

import pytest

from beatd.catalog import Change, Query
from beatd.definition import entry_from
from beatd.entry import timing_of
from beatd.store import Store
from tests.stores.changing import stop
from tests.stores.making import NOON, at, entry, plan, put, put_many


def names(store: Store, before: float, limit: int = 100) -> list[str]:
    return [one.name for one in store.plans_before(at(before), limit)]


def test_entries_come_in_the_order_of_their_runs(store: Store) -> None:
    for name, moment in {"d": 30, "B": 10, "a": 10, "ä": 20}.items():
        put(store, name, moment)
    assert names(store, 31) == ["B", "a", "ä", "d"]
    assert names(store, 30) == ["B", "a", "ä"]
    assert names(store, 31, 2) == ["B", "a"]
    assert names(store, 31, 0) == []


def test_what_will_not_run_is_left_out(store: Store) -> None:
    put(store, "ended", None)
    put(store, "disabled", 5, enabled=False)
    put(store, "paused", 5)
    stop(store, "paused")
    put(store, "runs", 5)
    assert names(store, 60) == ["runs"]


TIMINGS: list[dict[str, Any]] = [
    {"every": "90s", "phase": "30s"},
    {"cron": "H 2 * * *", "tz": "Europe/Berlin", "dst_gap": "skip"},
    {"every": "1h", "start": "2026-01-01", "end": "2027-01-01", "tz": "Asia/Tokyo"},
    {"at": "2026-12-24 18:00", "tz": "America/New_York", "kwargs": {"tz": "UTC"}},
    {"every": "1h", "spread": True, "args": [{"every": "2h"}]},
]


@pytest.mark.parametrize("fields", TIMINGS)
def test_the_timing_is_that_of_the_entry(store: Store, fields: dict[str, Any]) -> None:
    made = entry_from("tidy", {"task": "t", **fields})
    assert store.write([Change("tidy", 0, made, plan(5))]) == [True]
    (found,) = store.plans_before(at(6), 10)
    assert (found.timing, found.planned, found.left) == (timing_of(made), at(5), None)


def test_the_runs_that_are_left(store: Store) -> None:
    made = entry("few", max_runs=5)
    assert store.write([Change("few", 0, made, plan(5), runs=3)]) == [True]
    assert [one.left for one in store.plans_before(at(6), 10)] == [2]


def test_many_entries_are_those_that_a_search_finds(store: Store) -> None:
    put_many(store, [f"e{n}" for n in range(2_300)], 5)
    query = Query(enabled=True, due_before=at(6), order="next")
    wanted = [(one.entry.name, one.plan.planned) for one in store.find(query)]
    found = [(one.name, one.planned) for one in store.plans_before(at(6), 10_000)]
    assert found == wanted and len(found) == 2_300


def test_nothing_is_planned_in_an_empty_store(store: Store) -> None:
    assert list(store.plans_before(NOON, 10)) == []
