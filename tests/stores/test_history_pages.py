"""The contract of pages of the history, kept by every store."""

from collections.abc import Callable

import pytest

from beatd.history import Record
from beatd.run import Skip
from beatd.store import Store
from tests.stores.making import (
    at,
    claimed,
    lead,
    open_claims,
    past,
    put,
    put_many,
    row,
    step,
    told,
)
from tests.stores.test_history import fill

Reopen = Callable[[], Store]


def written(store: Store, name: str | None = None) -> list[Record]:
    """All records, the last written first; no open claims."""
    every = [one.record for one in store.records("")]
    return [record for record in reversed(every) if name in (None, record.name)]


def pages(store: Store, name: str | None, limit: int) -> list[list[Record]]:
    found, place = list[list[Record]](), ""
    while True:
        page = store.history_page(name, limit, place)
        assert len(page.records) <= limit
        found.append(list(page.records))
        place = page.rest
        if not place:
            return found


def all_of(found: list[list[Record]]) -> list[Record]:
    return [record for page in found for record in page]


def skip_many(store: Store, name: str, count: int) -> None:
    """Write `count` records of a new entry at once."""
    term, stored = lead(store), put(store, name)
    skips = tuple(Skip(at(n), at(n), 1, "late") for n in range(count))
    move = step(store, stored, count + 1, run=None, counts=0, skips=skips)
    assert store.claim([move], term, at(count)) == [True]


def test_a_page_of_no_history_is_empty(store: Store) -> None:
    for name in (None, "tidy"):
        page = store.history_page(name, 10)
        assert (list(page.records), page.rest) == ([], "")


@pytest.mark.parametrize(("limit", "sizes"), [(1, 6 * [1]), (2, [2, 2, 2]), (4, [4, 2]), (6, [6])])
def test_pages_have_all_records_the_last_written_first(
    store: Store, limit: int, sizes: list[int]
) -> None:
    fill(store, 6)
    found = pages(store, None, limit)
    assert [len(page) for page in found] == sizes
    assert all_of(found) == written(store) == past(store)
    assert pages(store, "tidy", limit) == found


def test_pages_are_of_one_name(store: Store) -> None:
    for name, count in (("a", 5), ("A", 3), ("a*", 2), ("b", 4)):
        skip_many(store, name, count)
    for name, count in (("a", 5), ("a*", 2), ("none", 0)):
        found = all_of(pages(store, name, 2))
        assert len(found) == count and found == written(store, name)
    assert all_of(pages(store, None, 3)) == written(store)


def test_thousands_are_read_in_pages(store: Store) -> None:
    for name, count in (("a", 900), ("b", 1_300)):
        skip_many(store, name, count)
    assert all_of(pages(store, None, 500)) == written(store)
    assert all_of(pages(store, "a", 500)) == written(store, "a")


def test_what_is_written_between_two_pages_changes_no_later_page(store: Store) -> None:
    fill(store, 6)
    before = past(store)
    first = store.history_page(None, 2)
    skip_many(store, "other", 5)
    second = store.history_page(None, 2, first.rest)
    run = claimed(store, row(store), lead(store), when=20, following=30)
    store.record([told(run, when=21)])
    third = store.history_page(None, 2, second.rest)
    assert [*first.records, *second.records, *third.records] == before
    assert third.rest == ""
    assert store.history_page(None, 2, first.rest) == second


def test_what_is_forgotten_between_two_pages_is_no_longer_read(store: Store) -> None:
    fill(store, 6)  # written at 1 to 6
    first = store.history_page(None, 2)
    assert store.forget(at(4), 100) == 3
    second = store.history_page(None, 2, first.rest)
    assert [record.planned for record in second.records] == [at(3)] and second.rest == ""
    assert store.forget(at(400), 100) == 3
    assert list(store.history_page(None, 2, first.rest).records) == []


def test_a_place_is_good_for_another_handle(store: Store, reopen: Reopen) -> None:
    fill(store, 4)
    place = store.history_page(None, 3).rest
    assert list(reopen().history_page(None, 3, place).records) == past(store)[3:]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 100])
def test_open_claims_are_on_the_first_page_only(store: Store, limit: int) -> None:
    fill(store, 5)
    term = lead(store, "two")
    runs = [
        claimed(store, stored, term, when=9 + n)
        for n, stored in enumerate(put_many(store, ["a", "b"]))
    ]
    assert len(open_claims(store)) == 2
    found = pages(store, None, limit)
    claims = [record for record in all_of(found) if record.state == "claimed"]
    assert [record for record in found[0] if record.state == "claimed"] == claims
    assert {record.task_id for record in claims} <= {run.task_id for run in runs}
    assert len(claims) == min(limit, 2)
    assert [record for record in all_of(found) if record.state != "claimed"] == written(store)
    assert all_of(pages(store, "a", limit))[0].task_id == runs[0].task_id
    assert all_of(pages(store, "tidy", limit)) == written(store, "tidy")


@pytest.mark.parametrize("given", ["nonsense", "9" * 60 + "x", "ä", "²"])
def test_a_place_that_no_page_gave_is_the_end(store: Store, given: str) -> None:
    fill(store, 2)
    for name in (None, "tidy"):
        page = store.history_page(name, 10, given)
        assert (list(page.records), page.rest) == ([], "")


# the newest of many entries


def test_the_newest_records_of_each_entry_are_found(store: Store) -> None:
    counts = {"a": 5, "A": 3, "a*": 1, "ç 🐝": 2}
    for name, count in counts.items():
        skip_many(store, name, count)
    put(store, "idle")
    found = store.newest_records([*counts, "idle", "none"], 3)
    assert {name: list(records) for name, records in found.items()} == {
        name: written(store, name)[:3] for name in counts
    }
    assert list(store.newest_records(["a"], 1)["a"]) == written(store, "a")[:1]
    assert dict(store.newest_records([], 3)) == {}


def test_open_claims_are_not_among_the_newest_records(store: Store) -> None:
    fill(store, 2)
    term = lead(store, "two")
    claimed(store, row(store), term, when=9, following=20)
    claimed(store, put(store, "claimed"), term)
    found = store.newest_records(["tidy", "claimed"], 10)
    assert {name: list(records) for name, records in found.items()} == {"tidy": written(store)}


def test_records_of_runs_and_of_a_removed_entry_are_among_the_newest(store: Store) -> None:
    fill(store, 3)
    run = claimed(store, row(store), lead(store), when=9, following=20)
    store.record([told(run, "rejected", 10, "no queue")])
    found = list(store.newest_records(["tidy"], 2)["tidy"])
    assert [record.state for record in found] == ["failed", "published"]
    assert found == past(store)[:2]


def test_the_newest_records_of_hundreds_of_entries_are_found(store: Store) -> None:
    names, term = [f"{n:03}" for n in range(230)], lead(store)
    moves = [
        step(
            store, stored, 9, run=None, counts=0,
            skips=tuple(Skip(at(k), at(k), 1, "late") for k in range(n % 4)),
        )
        for n, stored in enumerate(put_many(store, names))
    ]  # fmt: skip
    assert all(store.claim(moves, term, at(10)))
    found = store.newest_records(names, 2)
    assert {name: len(records) for name, records in found.items()} == {
        name: min(2, n % 4) for n, name in enumerate(names) if n % 4
    }
    assert [record.planned for record in found["003"]] == [at(2), at(1)]
