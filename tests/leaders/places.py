"""Where a lock of each kind lies, and what somebody else can do to it there."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pymysql
import pytest
import redis

from beatd.errors import StoreError
from beatd.servers import mysql, postgresql, sqlite

Row = tuple[Any, ...]
ANOTHER = "of another program"


class Place:
    """A lock's URL, what its kind promises, and the ways to harm it."""

    has_ttl = True  # it runs out by itself, by the clock of the place
    ends_with_its_process = False  # it is free before its ttl when its holder is killed
    not_yet: tuple[type[Exception], ...] = ()  # raised while another has it, but not yet its name

    def __init__(self, url: str, *, prefix: str = "contract:") -> None:
        self.url, self.prefix = url, prefix
        self.harms: dict[str, Callable[[], Any]] = {"delete": self.delete}

    def delete(self) -> None:
        raise NotImplementedError

    def overwrite(self) -> None:
        """Put something of another program in the place of a free lock."""
        raise NotImplementedError

    def content(self) -> Any:
        """Return what lies there."""
        raise NotImplementedError

    def clock(self) -> float:
        """Return seconds by the clock that the ttl is counted on."""
        raise NotImplementedError


class FilePlace(Place):
    has_ttl, ends_with_its_process, not_yet = False, True, (StoreError,)

    def __init__(self, path: Path) -> None:
        super().__init__(f"file:{path}")
        self._path = path
        self.harms["replace"] = self._replace

    def _replace(self) -> None:
        other = self._path.with_name("other")
        other.write_text("")
        other.rename(self._path)

    def delete(self) -> None:
        self._path.unlink()

    def overwrite(self) -> None:
        self._path.write_text(ANOTHER)

    def content(self) -> str:
        return self._path.read_text()


class RedisPlace(Place):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"redis://{host}:{port}/0", prefix=f"contract-{uuid4().hex}:")
        self.client = redis.Redis(host, port)
        self._key = f"{self.prefix}{{0}}:lease"

    def delete(self) -> None:
        self.client.delete(self._key)

    def overwrite(self) -> None:
        self.client.set(self._key, ANOTHER)

    def content(self) -> Any:
        return self.client.get(self._key)

    def clock(self) -> float:
        seconds, micros = self.client.time()
        return float(seconds + micros / 1_000_000)


class SqlPlace(Place):
    def __init__(
        self, url: str, run: Callable[[str], Row | None], now_micros: str, *, ends: bool
    ) -> None:
        super().__init__(url)
        self.run, self._now_micros = run, now_micros
        self.ends_with_its_process = ends
        self.harms["drop"] = lambda: run("DROP TABLE beatd_lease")

    def delete(self) -> None:
        self.run("DELETE FROM beatd_lease")

    def overwrite(self) -> None:
        self.run(
            f"UPDATE beatd_lease SET holder = '{ANOTHER}', token = 'x', "
            f"until = {self._now_micros} + 3600000000"
        )

    def content(self) -> Row | None:
        return self.run("SELECT holder, token, hinted, until FROM beatd_lease")

    def clock(self) -> float:
        (micros,) = self.run(f"SELECT {self._now_micros}") or (0,)
        return float(micros / 1_000_000)


def _in_sqlite(path: Path, statement: str) -> Row | None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        found: Row | None = connection.execute(statement).fetchone()
        return found


def _in_postgresql(url: str, statement: str) -> Row | None:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone() if cursor.description else None


def _in_mariadb(url: str, statement: str) -> Row | None:
    parts = urlsplit(url)
    with (
        pymysql.connect(
            host=parts.hostname,
            port=parts.port or 0,
            user="root",
            database=parts.path[1:],
            autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return cursor.fetchone()


@contextmanager
def place_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    """Yield a place where no lock has been yet."""
    if kind == "file":
        yield FilePlace(folder / "lock")
    elif kind == "redis":
        place = RedisPlace(*request.getfixturevalue("server")("redis"))
        yield place
        place.delete()
        place.client.close()
    elif kind == "sqlite":
        path, now = folder / "lock.db", sqlite.NOW_MICROS
        yield SqlPlace(f"sqlite:///{path}", lambda said: _in_sqlite(path, said), now, ends=False)
    elif kind == "postgresql":
        url, now = request.getfixturevalue("postgresql_url"), postgresql.NOW_MICROS
        yield SqlPlace(url, lambda said: _in_postgresql(url, said), now, ends=True)
    else:
        url, now = request.getfixturevalue("mariadb_url"), mysql.NOW_MICROS
        yield SqlPlace(url, lambda said: _in_mariadb(url, said), now, ends=True)
