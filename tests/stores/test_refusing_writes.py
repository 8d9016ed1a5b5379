"""A store that can be read and not written: a replica, a server set read-only, a full disk."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pymysql
import pytest

from beatd.definition import codec
from beatd.errors import StoreError
from beatd.presence import Presence, refusal_of
from beatd.store import Store
from beatd.stores.redis import RedisStore
from beatd.stores.sql import SqlStore
from tests.stores.making import at, holder
from tests.stores.redis.servers import RedisProcess

Server = Callable[[str], tuple[str, int]]
Place = Iterator[tuple[Store, Callable[[], Any], Callable[[], Any]]]


@contextmanager
def redis_replica(path: Path, server: Server) -> Place:
    process = RedisProcess(path)
    with closing(RedisStore(process.url, codec=codec)) as store:
        admin = process.admin
        yield store, lambda: admin.replicaof("127.0.0.1", "1"), lambda: admin.replicaof("NO", "ONE")
    process.close()


@contextmanager
def redis_without_replicas(path: Path, server: Server) -> Place:
    process = RedisProcess(path)

    def wanted(number: int) -> Callable[[], Any]:
        return lambda: process.admin.config_set("min-replicas-to-write", number)

    with closing(RedisStore(process.url, codec=codec)) as store:
        yield store, wanted(1), wanted(0)
    process.close()


@contextmanager
def postgresql_read_only(path: Path, server: Server) -> Place:
    host, port = server("postgresql")
    role = f"reader_{uuid4().hex}"
    with psycopg.connect(f"postgresql://postgres@{host}:{port}/test", autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN")
        admin.execute(f"CREATE SCHEMA {role} AUTHORIZATION {role}")

        def set_to(word: str) -> Callable[[], Any]:
            def change() -> None:
                admin.execute(f"ALTER ROLE {role} SET default_transaction_read_only = {word}")
                admin.execute(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename='{role}'"
                )

            return change

        with closing(SqlStore(f"postgresql://{role}@{host}:{port}/test", codec=codec)) as store:
            yield store, set_to("on"), set_to("off")
        admin.execute(f"DROP SCHEMA {role} CASCADE")
        admin.execute(f"DROP ROLE {role}")


@contextmanager
def mariadb_read_only(path: Path, server: Server) -> Place:
    host, port = server("mariadb")
    name = f"t{uuid4().hex[:20]}"
    with pymysql.connect(host=host, port=port, user="root", autocommit=True) as admin:
        admin.query(f"CREATE DATABASE {name}")
        # At localhost as well: MariaDB may come with a user of any name there, who may do nothing.
        for at_host in ("%", "localhost"):
            admin.query(f"CREATE USER {name}@'{at_host}' IDENTIFIED BY ''")
            admin.query(f"GRANT ALL ON {name}.* TO {name}@'{at_host}'")
        try:
            url = f"mysql://{name}@{host}:{port}/{name}"
            with closing(SqlStore(url, codec=codec)) as store:
                read_only = "SET GLOBAL read_only = %d"
                yield store, lambda: admin.query(read_only % 1), lambda: admin.query(read_only % 0)
        finally:
            admin.query("SET GLOBAL read_only = 0")
            admin.query(f"DROP DATABASE {name}")
            admin.query(f"DROP USER {name}@'%', {name}@'localhost'")


@contextmanager
def sqlite_on_a_full_disk(path: Path, server: Server) -> Place:
    with closing(SqlStore(f"sqlite:///{path / 'beatd.db'}", codec=codec)) as store:

        def pages(most: int) -> Callable[[], None]:
            def limit() -> None:
                with store._db.engine.connect() as connection:
                    connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

            return limit

        yield store, pages(1), pages(1_000_000)


PLACES = (
    redis_replica,
    redis_without_replicas,
    postgresql_read_only,
    mariadb_read_only,
    sqlite_on_a_full_disk,
)


@pytest.fixture(params=PLACES, ids=lambda place: place.__name__)
def place(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> Iterator[Any]:
    with request.param(tmp_path, server) as found:
        yield found


def test_a_presence_is_refused_by_a_store_that_takes_no_writes(place: Any) -> None:
    store, refuse, cure = place
    large = Presence(holder("a"), "standby", True, at(0), problems=("x" * 100_000,))
    store.announce(Presence(holder("a"), "standby", True, at(0)), 60)
    refuse()
    try:
        assert list(store.upcoming(1)) == [], "it can be read"
        with pytest.raises(StoreError) as refusal:
            store.announce(large, 60)
        assert "\n" not in str(refusal.value)
    finally:
        cure()
    store.announce(large, 60)


# A full disk is found out by what needs room.
@pytest.mark.parametrize("place", PLACES[:-1], ids=lambda place: place.__name__, indirect=True)
def test_a_refusal_is_found_out_without_changing_anything(place: Any) -> None:
    store, refuse, cure = place
    store.announce(Presence(holder("a"), "standby", True, at(0)), 60)
    assert refusal_of(store) == ""
    refuse()
    try:
        assert refusal_of(store)
    finally:
        cure()
    assert refusal_of(store) == ""
    assert [one.holder.name for one in store.daemons()] == ["a"]
