"""Where a store can be: each gives a fresh place of its own, opened as often as a test likes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from beatd.clock import SystemClock
from beatd.definition import codec
from tests.pgbouncer import database

Open = Callable[[], Any]  # a store, or another handle to the same one
Server = Callable[[str], tuple[str, int]]
TIMEOUT_S = 60.0  # the contract says nothing about a slow machine


@contextmanager
def memory(path: Path, server: Server) -> Iterator[Open]:
    from beatd.stores.embedded.memory import MemoryStore

    store = MemoryStore(codec=codec, clock=SystemClock())
    yield lambda: store


@contextmanager
def shelve(path: Path, server: Server) -> Iterator[Open]:
    module = pytest.importorskip("beatd.stores.embedded.shelve", exc_type=ModuleNotFoundError)
    yield lambda: module.ShelveStore(path / "shelf", codec=codec, clock=SystemClock())


@contextmanager
def sqlite(path: Path, server: Server) -> Iterator[Open]:
    module = pytest.importorskip("beatd.stores.sql", exc_type=ModuleNotFoundError)
    yield lambda: module.SqlStore(f"sqlite:///{path / 'beatd.db'}", codec=codec)


@contextmanager
def postgresql(path: Path, server: Server) -> Iterator[Open]:
    host, port = server("postgresql")
    psycopg = pytest.importorskip("psycopg")
    module = pytest.importorskip("beatd.stores.sql", exc_type=ModuleNotFoundError)
    schema = f"contract_{uuid4().hex}"
    with psycopg.connect(f"postgresql://postgres@{host}:{port}/test", autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {schema}")
        options = quote(f"-csearch_path={schema}")
        url = f"postgresql://postgres@{host}:{port}/test?options={options}"
        yield lambda: module.SqlStore(url, codec=codec, timeout=TIMEOUT_S)
        admin.execute(f"DROP SCHEMA {schema} CASCADE")


@contextmanager
def pgbouncer(path: Path, server: Server) -> Iterator[Open]:
    """PostgreSQL behind a pooler, which lends its sessions for one transaction each."""
    module = pytest.importorskip("beatd.stores.sql", exc_type=ModuleNotFoundError)
    with database(server) as urls:
        yield lambda: module.SqlStore(urls.pooled, codec=codec, timeout=TIMEOUT_S)


@contextmanager
def mariadb(path: Path, server: Server) -> Iterator[Open]:
    host, port = server("mariadb")
    pymysql = pytest.importorskip("pymysql")
    module = pytest.importorskip("beatd.stores.sql", exc_type=ModuleNotFoundError)
    name = f"contract_{uuid4().hex}"
    admin = pymysql.connect(host=host, port=port, user="root", autocommit=True)
    try:
        admin.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield lambda: module.SqlStore(
            f"mysql://root@{host}:{port}/{name}", codec=codec, timeout=TIMEOUT_S
        )
        admin.query(f"DROP DATABASE {name}")
    finally:
        admin.close()


@contextmanager
def redis(path: Path, server: Server) -> Iterator[Open]:
    host, port = server("redis")
    module = pytest.importorskip("beatd.stores.redis", exc_type=ModuleNotFoundError)
    client = pytest.importorskip("redis").Redis(host, port)
    prefix = f"contract-{uuid4().hex}"
    try:
        yield lambda: module.RedisStore(
            f"redis://{host}:{port}/0", codec=codec, prefix=prefix, timeout=TIMEOUT_S
        )
        keys = list(client.scan_iter(f"{prefix}*", count=10_000))
        if keys:
            client.delete(*keys)
    finally:
        client.close()


PLACES = (memory, shelve, sqlite, postgresql, pgbouncer, mariadb, redis)


# Their tables take longer to make than most tests to run.
DATABASES = (postgresql, pgbouncer, mariadb)


def remove_all_rows(store: Any) -> None:
    from beatd.stores.sql.tables import metadata

    with store._db.engine.begin() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.delete())


@contextmanager
def closing_all(open_one: Open) -> Iterator[Open]:
    """Open as often as asked; close all of them at the end."""
    handles: list[Any] = []

    def open_another() -> Any:
        handles.append(open_one())
        return handles[-1]

    try:
        yield open_another
    finally:
        for handle in handles:
            with suppress(Exception):
                handle.close()


@contextmanager
def opened(place: Callable[..., Any], path: Path, server: Server) -> Iterator[Open]:
    """Open as often as asked; close all of them before the place is cleared away."""
    with place(path, server) as open_one, closing_all(open_one) as open_another:
        yield open_another
