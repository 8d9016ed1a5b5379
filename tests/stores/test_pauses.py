"""The contract of pauses, kept by every store: who paused an entry, until when, and why."""

from collections.abc import Callable
from typing import Any

import pytest

from beatd.catalog import Change, Query
from beatd.store import Store
from tests.stores.changing import BOB, add, change, go_on, pause_of, remove, stop
from tests.stores.making import FOREVER, at, edit, entry, plan, put_many, row

Reopen = Callable[[], Store]


def test_an_entry_that_runs_has_no_pause(store: Store) -> None:
    add(store)
    assert row(store).pause is None and not row(store).paused
    assert list(store.ending_pauses(FOREVER, 10)) == []


@pytest.mark.parametrize("pause", [pause_of(60.000001, "ä 🐝 \\ '\"\n", "ann@host"), pause_of()])
@pytest.mark.parametrize("author", [None, BOB])
def test_a_pause_is_kept(store: Store, reopen: Reopen, pause: Any, author: Any) -> None:
    add(store)
    stop(store, pause=pause, author=author)
    for handle in (store, reopen()):
        assert row(handle).paused and row(handle).pause == pause


def test_a_pause_may_come_with_a_new_entry(store: Store) -> None:
    made = Change("tidy", 0, entry(), plan(0), paused=True, pause=pause_of(60))
    assert store.write([made]) == [True]
    assert row(store).pause == pause_of(60)
    assert list(store.ending_pauses(FOREVER, 10)) == ["tidy"]


def test_an_entry_that_nobody_is_known_to_have_paused_has_no_pause(store: Store) -> None:
    add(store)
    stop(store)
    assert row(store).paused and row(store).pause is None
    assert list(store.ending_pauses(FOREVER, 10)) == []
    stop(store, pause=pause_of(60))
    assert row(store).pause == pause_of(60)


def test_a_pause_stays_when_the_entry_is_edited(store: Store) -> None:
    add(store)
    stop(store, pause=pause_of(60, "a"))
    change(store, every="20s")
    store.write([edit(row(store), entry(every="30s"), plan(9, "two"), paused=True)])
    assert row(store).pause == pause_of(60, "a")
    assert list(store.ending_pauses(at(61), 10)) == ["tidy"]


def test_a_new_pause_replaces_the_old_one(store: Store) -> None:
    add(store)
    stop(store, pause=pause_of(60, "a"))
    stop(store, pause=pause_of(None, "b", "bob"))
    assert row(store).pause == pause_of(None, "b", "bob")
    assert list(store.ending_pauses(FOREVER, 10)) == []
    stop(store, pause=pause_of(30))
    assert list(store.ending_pauses(at(31), 10)) == ["tidy"]


@pytest.mark.parametrize("author", [None, BOB])
def test_a_resumed_entry_has_no_pause_and_gets_none_back(store: Store, author: Any) -> None:
    add(store)
    stop(store, pause=pause_of(60))
    go_on(store, author=author)
    assert row(store).pause is None
    assert list(store.ending_pauses(FOREVER, 10)) == []
    stop(store)
    assert row(store).paused and row(store).pause is None


@pytest.mark.parametrize("author", [None, BOB])
def test_a_removed_entry_leaves_no_pause_behind(store: Store, author: Any) -> None:
    add(store)
    stop(store, pause=pause_of(60))
    remove(store, author=author)
    assert list(store.ending_pauses(FOREVER, 10)) == []
    assert store.write([Change("tidy", 0, entry(), plan(0), paused=True)]) == [True]
    assert row(store).paused and row(store).pause is None


def test_a_pause_is_gone_after_a_removal_in_the_same_call(store: Store) -> None:
    add(store)
    stop(store, pause=pause_of(60))
    revision = row(store).revision
    again = Change("tidy", 0, entry(), plan(0), paused=True)
    assert store.write([Change("tidy", revision, None), again]) == [True, True]
    assert row(store).paused and row(store).pause is None


def test_a_refused_change_leaves_the_pause_alone(store: Store) -> None:
    add(store)
    stop(store, pause=pause_of(60))
    stale = Change("tidy", row(store).revision + 1, entry(), paused=False)
    assert store.write([stale]) == [False]
    assert row(store).pause == pause_of(60)


def test_a_pause_of_a_disabled_entry_is_kept(store: Store) -> None:
    add(store, enabled=False)
    stop(store, pause=pause_of(60))
    assert row(store).pause == pause_of(60)
    assert list(store.ending_pauses(at(61), 10)) == ["tidy"]


def test_pauses_that_end_before_a_moment_come_the_earliest_first(store: Store) -> None:
    names = ["a", "B", "ä", "d", "e"]
    for name, until in zip(names, (50, 10, 30, None, 20), strict=True):
        add(store, name)
        stop(store, name, pause_of(until))
    assert list(store.ending_pauses(at(30), 10)) == ["B", "e"]
    assert list(store.ending_pauses(at(30.000001), 10)) == ["B", "e", "ä"]
    assert list(store.ending_pauses(FOREVER, 10)) == ["B", "e", "ä", "a"]
    assert list(store.ending_pauses(FOREVER, 2)) == ["B", "e"]
    assert list(store.ending_pauses(at(10), 10)) == []


def test_pauses_are_found_with_their_entries_in_each_search(store: Store) -> None:
    names = [f"{n:04}" for n in range(1_200)]
    rows = put_many(store, names)
    made = [
        edit(one, one.entry, paused=True, pause=pause_of(n, f"{n}"))
        for n, one in enumerate(rows)
        if n % 2
    ]
    assert all(store.write(made))
    searches = (
        Query(),
        Query(order="next"),
        Query(source="cli"),
        Query(names=tuple(names)),
        Query(paused=True),
        Query(enabled=False),
        Query(contains="11"),
    )
    for query in searches:
        found = list(store.find(query))
        assert found
        for one in found:
            n = int(one.entry.name)
            assert one.pause == (pause_of(n, f"{n}") if n % 2 else None)
    assert len(store.ending_pauses(FOREVER, 1_000)) == 600


def test_the_pauses_of_thousands_end_at_once(store: Store) -> None:
    names = [f"{n:04}" for n in range(1_500)]
    made = [
        Change(name, 0, entry(name), plan(0), paused=True, pause=pause_of(60)) for name in names
    ]
    assert all(store.write(made))
    assert sorted(store.ending_pauses(at(61), 2_000)) == names
    for ending in (names[:700], names[700:]):
        rows = store.find(Query(names=tuple(ending)))
        assert all(store.write([edit(one, one.entry, author=BOB) for one in rows]))
    assert list(store.ending_pauses(FOREVER, 2_000)) == []
    assert all(one.pause is None for one in store.find(Query()))
