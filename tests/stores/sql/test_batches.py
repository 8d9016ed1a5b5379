"""Changes and moves that meet in one batch."""

from collections.abc import Iterator

import pytest

from beatd.catalog import Change, Query
from beatd.definition import codec
from beatd.stores.sql import SqlStore
from tests.stores.making import at, entry, lead, plan, put, request_of, row, step


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    made = SqlStore(url, codec=codec)
    yield made
    made.close()


def test_a_name_removed_and_added_in_one_batch_starts_anew(store: SqlStore) -> None:
    stored = put(store)
    assert store.claim([step(store, stored)], lead(store), at(0)) == [True]
    store.add_requests([request_of(stored)])
    changes = [
        Change("tidy", stored.revision, None),
        Change("tidy", 0, entry(task="proj.other"), plan(50)),
    ]
    assert store.write(changes) == [True, True]
    found = row(store)
    assert (found.runs, found.last, found.entry.task) == (0, None, "proj.other")
    assert found.revision > stored.revision
    assert not store.requests(10)


def test_a_name_added_and_removed_in_one_batch_leaves_nothing(store: SqlStore) -> None:
    put(store, "other")
    known = store.version()
    assert store.write([Change("tidy", 0, entry(), plan(0)), Change("tidy", 0, None)])[0]
    assert store.version() != known
    names = {found.entry.name for found in store.find(Query())}
    assert "other" in names


def test_what_is_next_is_found_though_it_was_put_before_what_was_claimed(store: SqlStore) -> None:
    # An entry planned long before all others, after a claim and a full read.
    for name in ("a", "b", "c"):
        put(store, name, 10_000)
    assert store.claim([step(store, row(store, "a"), 20_000)], lead(store), at(10_000)) == [True]
    store.upcoming(2)
    put(store, "early", 1)
    for _ in range(61):
        found = store.upcoming(2)
    assert found[0].entry.name == "early"
    assert store.upcoming(10)[0].entry.name == "early"


@pytest.mark.parametrize("many", [2500])
def test_more_changes_than_one_statement_takes_are_all_made(store: SqlStore, many: int) -> None:
    names = [f"entry-{number:05}" for number in range(many)]
    assert all(store.write([Change(name, 0, entry(name), plan(0)) for name in names]))
    assert [found.entry.name for found in store.find(Query())] == names
    assert len(store.upcoming(many + 1)) == many
    term = lead(store)
    assert all(store.claim([step(store, found) for found in store.upcoming(many)], term, at(0)))


def test_names_sort_by_their_bytes_in_every_database(store: SqlStore) -> None:
    names = ["Z", "a", "a ", "a-b", "ab", "ä", "é", "😀", "\ud7ff", "A" * 300]
    for name in names:
        put(store, name)
    by_bytes = sorted(names, key=str.encode)
    assert [found.entry.name for found in store.find(Query())] == by_bytes
    assert [found.entry.name for found in store.find(Query(order="next"))] == by_bytes
    assert [found.entry.name for found in store.upcoming(100)] == by_bytes
