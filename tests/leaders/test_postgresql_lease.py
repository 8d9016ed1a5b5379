"""A lease in PostgreSQL: its sessions, which a pooler may share, and its URL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import psycopg
import pytest

from beatd.errors import ConfigError, StoreError
from beatd.leaders import postgresql
from beatd.leaders.databases import sql_lease
from beatd.leaders.postgresql import PostgresqlSession
from beatd.servers.postgresql import PostgresqlConnection
from tests.leaders.holders import LONG, PATIENCE_S, SHORT, holder
from tests.leaders.places import Place
from tests.pgbouncer import database
from tests.waiting import until

Server = Callable[[str], tuple[str, int]]


def test_a_holder_whose_connection_was_cut_goes_on_with_a_new_one(
    postgresql_url: str,
) -> None:
    lease, one = sql_lease(postgresql_url), holder("one")
    lease.take(one, LONG)
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks l WHERE l.locktype = 'advisory' "
            "AND l.objid = hashtext(current_schema())::oid"
        )
    with pytest.raises(StoreError):
        lease.take(one, LONG)
    assert lease.take(one, LONG) == one
    lease.close()


def test_a_shared_session_proves_nothing(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a transaction pooler: both daemons' statements run in one session."""
    shared: list[Any] = []
    connect = PostgresqlConnection.connect

    def pooled(*args: Any, **named: Any) -> Any:
        if not shared:
            shared.append(connect(*args, **named))
        return shared[0]

    monkeypatch.setattr(PostgresqlConnection, "connect", pooled)
    here, there = sql_lease(postgresql_url), sql_lease(postgresql_url)
    one, two = holder("one"), holder("two")
    assert here.take(one, LONG) == one
    assert there.take(two, LONG) == one
    assert here.take(one, LONG) == one
    assert there.take(two, LONG) == one
    here.close()


def test_a_lease_behind_pgbouncer_needs_no_option_and_leaves_nothing_there(server: Server) -> None:
    one, two = holder("one"), holder("two")
    with database(server) as urls:
        here, there = sql_lease(urls.pooled), sql_lease(urls.pooled)
        for _ in range(30):
            assert here.take(one, LONG) == one
            assert there.take(two, LONG) == one
        here.close()
        assert there.take(two, LONG) == one, "its session is gone, and that says nothing"
        with psycopg.connect(urls.direct, autocommit=True) as admin:
            left = admin.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            assert left.fetchone() == (0,)
        with psycopg.connect(urls.pooled, autocommit=True, prepare_threshold=None) as other:
            for _ in range(30):
                found = other.execute(
                    "SELECT current_setting('beatd.lease', true), "
                    "current_setting('statement_timeout')"
                )
                assert found.fetchone() == (None, "0")
        there.close()


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_behind_a_pooler_that_is_named_there_is_no_hint(place: Place) -> None:
    here, there = (sql_lease(f"{place.url}&pooler=transaction") for _ in range(2))
    one, two = holder("one"), holder("two")
    began = place.clock()
    assert here.take(one, SHORT) == one
    here.close()
    until(lambda: there.take(two, LONG) == two, PATIENCE_S, "it is free")
    assert place.clock() - began >= SHORT, "its session is gone, and that says nothing"
    there.close()


def test_eight_who_make_the_table_at_once_all_succeed(postgresql_url: str) -> None:
    """CREATE TABLE IF NOT EXISTS fails in three ways when two run it in one instant."""
    everyone = Barrier(8)

    def open_it(_: int) -> PostgresqlSession:
        everyone.wait()
        return PostgresqlSession(postgresql_url, LONG)

    with psycopg.connect(postgresql_url, autocommit=True) as admin, ThreadPoolExecutor(8) as pool:
        for _ in range(25):
            for session in pool.map(open_it, range(8)):
                session.close()
            assert admin.execute("SELECT count(*) FROM beatd_lease").fetchone() == (1,)
            admin.execute("DROP TABLE beatd_lease")


@pytest.mark.parametrize("word", ["prepare_threshold=5", "foo=bar"])
def test_a_parameter_that_libpq_does_not_know_is_told_before_it_is_needed(word: str) -> None:
    with pytest.raises(ConfigError, match=f"lock.url: .*{word.split('=')[0]}"):
        sql_lease(f"postgresql+psycopg://localhost/db?{word}")


def test_a_password_that_cannot_be_read_is_told_without_it() -> None:
    with pytest.raises(ConfigError, match="%25") as refusal:
        sql_lease("postgresql://me:sec%ret@localhost/db")
    assert "sec" not in str(refusal.value)


def test_a_table_that_may_not_be_filled_is_told(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = postgresql.CREATE.replace("name text", "name text CHECK (name <> 'leader')")
    monkeypatch.setattr(postgresql, "CREATE", made)
    with pytest.raises(StoreError, match="beatd_lease"):
        sql_lease(postgresql_url).take(holder("one"), LONG)
