"""How many statements a batch takes, whatever its size."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace
from sqlalchemy import event

from beatd.catalog import Change, Query, Stored
from beatd.definition import codec
from beatd.entry import Entry
from beatd.outcome import OutcomeState
from beatd.run import Run
from beatd.stores.sql import SqlStore
from tests.stores.making import at, entry, lead, plan, step, told
from tests.stores.running_runs import delivery, skipping, starting, waiting

QUEUED = entry(overlap="queue", max_run="60s")
# Statements of a transaction that are not about rows.
FRAME = ("BEGIN", "SAVEPOINT", "RELEASE", "SET", "SELECT set_config")


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    made = SqlStore(url, codec=codec)
    yield made
    made.close()


@contextmanager
def counted(store: SqlStore) -> Iterator[list[str]]:
    """The statements that the store sends meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(FRAME):
            sent.append(statement)

    event.listen(store._db.engine, "before_cursor_execute", note)
    yield sent
    event.remove(store._db.engine, "before_cursor_execute", note)


def put_many(store: SqlStore, made: Entry, count: int) -> list[Stored]:
    names = [f"entry-{n:04}" for n in range(count)]
    assert all(store.write([Change(n, 0, replace(made, name=n), plan(0)) for n in names]))
    return list(store.upcoming(count))


def test_entries_that_allow_overlap_cost_no_statement_more(store: SqlStore) -> None:
    rows, term = put_many(store, entry(), 20), lead(store)
    with counted(store) as sent:
        moves = [step(store, stored) for stored in rows]
        assert all(store.claim(moves, term, at(1)))
        store.record([told(move.run) for move in moves if move.run])
        list(store.upcoming(20))
        list(store.find(Query()))
        list(store.find(Query(names=("entry-0001",))))
        list(store.unknowns(at(9), 20))
        list(store.requests(20))
    assert [statement for statement in sent if "beatd_running" in statement] == []
    expected = {"sqlite": 3, "postgresql": 3, "mysql": 4}[store._db.dialect.name]
    with counted(store) as sent:
        assert all(store.claim([step(store, s, 20) for s in store.upcoming(20)], term, at(11)))
    assert len(sent) == expected + 1  # the read of `upcoming`


@pytest.mark.parametrize("count", [3, 600])
def test_a_batch_that_allows_no_overlap_is_claimed_in_a_few_statements(
    store: SqlStore, count: int
) -> None:
    rows, term = put_many(store, QUEUED, count), lead(store)
    with counted(store) as sent:
        assert all(store.claim([starting(store, stored) for stored in rows], term, at(1)))
    assert len(sent) <= 7, sent
    with counted(store) as sent:
        rows = list(store.upcoming(count))
    assert len(sent) == 2, sent
    with counted(store) as sent:
        moves = [
            waiting(store, one) if n % 2 else skipping(store, one) for n, one in enumerate(rows)
        ]
        assert all(store.claim(moves, term, at(10)))
    assert len(sent) <= 7, sent


def test_a_page_with_one_entry_that_allows_no_overlap_takes_one_statement_more(
    store: SqlStore,
) -> None:
    put_many(store, entry(), 150)
    with counted(store) as plain:
        assert len(list(store.find(Query()))) == 150
    assert store.write([Change("entry-0001x", 0, replace(QUEUED, name="entry-0001x"), plan(0))])
    with counted(store) as sent:
        assert len(list(store.find(Query()))) == 151
    assert len(sent) == len(plain) + 1


@pytest.mark.parametrize("made", [entry(), QUEUED], ids=["allow", "queue"])
def test_five_hundred_outcomes_are_written_in_a_few_statements(
    store: SqlStore, made: Entry
) -> None:
    rows, term = put_many(store, made, 500), lead(store)
    moves = [
        step(store, stored) if made.overlap == "allow" else starting(store, stored)
        for stored in rows
    ]
    assert all(store.claim(moves, term, at(1)))
    runs: list[Run] = [move.run for move in moves if move.run]
    most: dict[OutcomeState, int] = {"received": 4, "started": 4, "succeeded": 8}
    for state, expected in most.items():
        with counted(store) as sent:
            store.write_outcomes([delivery(run, state) for run in runs], at(5))
        assert len(sent) <= expected, (state, sent)
