"""A claim made but for its commit: as good as a claim afterwards, as good as nothing before."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from beatd.catalog import Change
from beatd.definition import codec
from beatd.errors import Deposed, StoreError
from beatd.ledger import HeldClaim, Move
from beatd.stores.sql import SqlStore
from tests.databases import sqlite_url
from tests.stores.making import at, closed, entry, lead, open_claims, past, put, put_many, row, step
from tests.stores.running_runs import delivery, put_queued, started, starting, waiting

Open = Callable[[], SqlStore]


@pytest.fixture
def url(postgresql_url: str) -> str:
    return postgresql_url


@pytest.fixture
def reopen(url: str) -> Iterator[Open]:
    made: list[SqlStore] = []

    def opened() -> SqlStore:
        made.append(SqlStore(url, codec=codec))
        return made[-1]

    yield opened
    for store in made:
        store.close()


@pytest.fixture
def store(reopen: Open) -> SqlStore:
    return reopen()


def held(store: SqlStore, moves: list[Move], seconds: float = 1) -> HeldClaim:
    claim = store.hold(moves, lead(store), at(seconds))
    assert claim is not None
    return claim


def test_made_it_is_a_claim_like_any_other(store: SqlStore, reopen: Open) -> None:
    good, gone = put_many(store, ["good", "gone"])
    claim = held(store, [step(store, good), step(store, gone, revision=gone.revision + 1)])
    assert list(claim.make()) == [True, False]
    for handle in (store, reopen()):
        assert (row(handle, "good").runs, row(handle, "gone")) == (1, gone)
        (found,) = open_claims(handle)
        assert (found.occurrence.name, found.claimed_at) == ("good", at(1))
    assert store.claim([step(store, good)], lead(store), at(2)) == [False]


def test_it_is_closed_by_its_record(store: SqlStore) -> None:
    term, stored = lead(store), put(store)
    claim = store.hold([step(store, stored)], term, at(1))
    assert claim is not None and claim.make() == [True]
    (found,) = open_claims(store)
    assert store.claim([closed(found, "late")], term, at(9)) == [True]
    assert [record.state for record in past(store)] == ["skipped"]


def test_before_it_is_made_nobody_sees_it(store: SqlStore, reopen: Open) -> None:
    stored, other = put(store), reopen()
    claim = held(store, [step(store, stored)])
    assert row(other) == stored and not open_claims(other)
    claim.drop()


def test_dropped_it_has_left_nothing_and_keeps_nobody_waiting(
    store: SqlStore, reopen: Open
) -> None:
    stored = put(store)
    held(store, [step(store, stored)]).drop()
    other = reopen()
    assert row(other) == stored and not open_claims(other)
    assert other.write([Change("tidy", stored.revision, entry(args=[1]))]) == [True]
    assert store.claim([step(store, row(store))], lead(store), at(1)) == [True]


def test_an_edit_meanwhile_waits_and_is_made_after_it(store: SqlStore, reopen: Open) -> None:
    stored, other = put(store), reopen()
    claim = held(store, [step(store, stored)])
    with ThreadPoolExecutor() as thread:
        edited = thread.submit(other.write, [Change("tidy", stored.revision, entry(args=[1]))])
        assert claim.make() == [True]
        assert edited.result(5) == [True]
    assert (row(store).runs, row(store).entry.args) == (1, (1,))


def test_a_new_leader_waits_for_it_and_finds_it_made(store: SqlStore, reopen: Open) -> None:
    stored, other = put(store), reopen()
    claim = held(store, [step(store, stored)])
    with ThreadPoolExecutor() as thread:
        began = thread.submit(lead, other, "two")
        assert claim.make() == [True]
        term = began.result(5)
    assert [found.term for found in open_claims(other)] == [term.number - 1]


def test_an_old_term_holds_nothing(store: SqlStore, reopen: Open) -> None:
    stored, term = put(store), lead(store)
    lead(reopen(), "two")
    with pytest.raises(Deposed):
        store.hold([step(store, stored)], term, at(1))
    assert store.write([Change("tidy", stored.revision, None)]) == [True]


def test_a_process_that_ends_has_claimed_nothing(url: str, store: SqlStore, reopen: Open) -> None:
    stored = put(store)
    store.close()
    ready, tells = os.pipe()
    child = os.fork()
    if child == 0:
        mine = SqlStore(url, codec=codec)
        held(mine, [step(mine, stored)])
        os.write(tells, b"held")
        signal.pause()
    assert os.read(ready, 4) == b"held"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    other = reopen()
    assert row(other) == stored and not open_claims(other)
    assert other.claim([step(other, stored)], lead(other, "two"), at(1)) == [True]


def test_a_leader_that_froze_does_not_hold_up_the_next_one(postgresql_url: str) -> None:
    frozen = SqlStore(postgresql_url, codec=codec)
    # Patient beyond any machine's slowness: that its wait ends is the server's doing.
    other = SqlStore(postgresql_url, codec=codec, timeout=100.0)
    stored = put(frozen)
    claim = held(frozen, [step(frozen, stored)])
    lead(other, "two")  # PostgreSQL ends what is idle in a transaction
    assert row(other) == stored
    with pytest.raises(StoreError):
        claim.make()
    assert row(frozen) == stored and not open_claims(frozen)
    for store in (frozen, other):
        store.close()


def test_its_run_is_the_running_one_once_it_is_made(store: SqlStore, reopen: Open) -> None:
    stored, other = put_queued(store), reopen()
    held(store, [starting(store, stored)]).drop()
    assert row(other) == stored
    claim = held(store, [starting(store, stored)])
    assert other.running(None) == {}
    assert claim.make() == [True]
    (found,) = open_claims(other)
    assert other.running(None)["tidy"].task_id == found.task_id


def test_a_report_that_ends_a_run_waits_for_it(store: SqlStore, reopen: Open) -> None:
    run, other = started(store, put_queued(store), lead(store)), reopen()
    claim = held(store, [waiting(store, row(store))], 10)
    with ThreadPoolExecutor() as thread:
        written = thread.submit(other.write_outcomes, [delivery(run, "succeeded")], at(12))
        assert claim.make() == [True]
        assert written.result(5) == ["written"]
    assert other.running(None) == {}
    assert (row(store).plan.planned, row(store).plan.due) == (at(10), at(12))


def test_a_run_that_ended_before_it_is_held_is_not_claimed(store: SqlStore, reopen: Open) -> None:
    run = started(store, put_queued(store), lead(store))
    move = waiting(store, row(store))
    reopen().write_outcomes([delivery(run, "succeeded")], at(5))
    claim = held(store, [move], 10)
    assert claim.make() == [False]
    assert row(store).running is None


def test_what_died_meanwhile_is_dropped_without_a_word(postgresql_url: str) -> None:
    store, other = (SqlStore(postgresql_url, codec=codec) for _ in range(2))
    stored = put(store)
    claim = held(store, [step(store, stored)])
    other._db.write(
        lambda connection: connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE state = 'idle in transaction' AND pid <> pg_backend_pid() "
            "AND pid IN (SELECT pid FROM pg_locks WHERE relation = 'beatd_plan'::regclass)"
        )
    )
    claim.drop()
    assert store.claim([step(store, stored)], lead(store), at(1)) == [True]
    for each in (store, other):
        each.close()


@pytest.mark.parametrize("where", ["sqlite", "mariadb"])
def test_where_a_frozen_leaders_locks_would_not_end_nothing_is_held(
    request: pytest.FixtureRequest, tmp_path: Path, where: str
) -> None:
    found = sqlite_url(tmp_path) if where == "sqlite" else request.getfixturevalue("mariadb_url")
    store = SqlStore(found, codec=codec)
    assert store.hold([step(store, put(store))], lead(store), at(1)) is None
    assert store.write([Change("other", 0, entry("other"))]) == [True]
    store.close()
