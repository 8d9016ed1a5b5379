"""One contract, every kind of lock: one that was deleted is had again, one that cannot be used says
why."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pymysql
import pytest
import redis

from beatd.engine.election import Election
from beatd.errors import StoreError
from beatd.events import Event, LeadWon, LockAway
from beatd.leader import Holder, Lease
from beatd.wiring.backends import open_lease
from tests.fake_clock import FakeClock
from tests.office import Office
from tests.waiting import until

Server = Callable[[str], tuple[str, int]]
LONG = 60.0  # a ttl that does not run out within a test
PATIENCE = 10.0
HARMS = (
    ("file", "delete"),
    ("file", "replace"),
    ("redis", "delete"),
    *((kind, harm) for kind in ("postgresql", "mariadb", "sqlite") for harm in ("delete", "drop")),
)
PREFIX = "contract:"


class Place:
    """Where a lock lies, and what somebody else can do to it there."""

    def __init__(self, url: str, **harm: Callable[[], Any]) -> None:
        self.url, self.harm = url, harm


@contextmanager
def place_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Place]:
    if kind == "file":
        path = folder / "lock"

        def replace() -> None:
            (folder / "other").write_text("")
            (folder / "other").rename(path)

        yield Place(f"file:{path}", delete=path.unlink, replace=replace)
    elif kind == "redis":
        host, port = request.getfixturevalue("server")("redis")
        prefix, client = f"contract-{uuid4().hex}", redis.Redis(host, port)
        key = f"{prefix}{{0}}:lease"
        place = Place(f"redis://{host}:{port}/0", delete=lambda: client.delete(key))
        place.prefix = prefix  # type: ignore[attr-defined]
        yield place
        client.delete(key)
        client.close()
    elif kind == "sqlite":
        path = folder / "lock.db"
        yield Place(f"sqlite:///{path}", **in_sql(lambda said: in_sqlite(path, said)))
    else:
        url = request.getfixturevalue(f"{kind}_url")
        say = in_postgresql if kind == "postgresql" else in_mariadb
        yield Place(url, **in_sql(lambda said: say(url, said)))


def in_sql(say: Callable[[str], None]) -> dict[str, Callable[[], Any]]:
    return {
        "delete": lambda: say("DELETE FROM beatd_lease"),
        "drop": lambda: say("DROP TABLE beatd_lease"),
    }


def in_sqlite(path: Path, said: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(said)
    connection.close()


def in_postgresql(url: str, said: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(said)


def in_mariadb(url: str, said: str) -> None:
    parts = urlsplit(url)
    admin = pymysql.connect(
        host=parts.hostname, port=parts.port or 0, user="root", database=parts.path[1:]
    )
    with admin:
        admin.query(said)


@pytest.fixture(params=HARMS, ids=" ".join)
def harmed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Place, str]]:
    kind, harm = request.param
    with place_of(kind, request, tmp_path) as found:
        yield found, harm


@pytest.fixture
def place(harmed: tuple[Place, str]) -> Place:
    return harmed[0]


@pytest.fixture
def harm(harmed: tuple[Place, str]) -> Callable[[], Any]:
    place, harm = harmed
    return place.harm[harm]


@pytest.fixture
def leases(place: Place) -> Iterator[Callable[[], Lease]]:
    """Each lease is another daemon's."""
    made: list[Lease] = []

    def another() -> Lease:
        made.append(open_lease(place.url, prefix=getattr(place, "prefix", PREFIX)))
        return made[-1]

    yield another
    for lease in made:
        lease.close()


def holder(name: str) -> Holder:
    return Holder(name, "host", 1, datetime(2026, 3, 1, tzinfo=UTC), f"token of {name}")


ONE, TWO = holder("one"), holder("two")


def test_a_lock_that_was_deleted_is_had_again_and_by_one(
    leases: Callable[[], Lease], harm: Callable[[], Any]
) -> None:
    here, there = leases(), leases()
    assert here.take(ONE, LONG) == ONE
    assert there.take(TWO, LONG) == ONE
    harm()

    def taken() -> bool:
        return here.take(ONE, LONG) == ONE

    # What was found gone may be a doubt once, for it is another lock that is taken then.
    until(taken, PATIENCE, "it is held again", not_yet=(StoreError,))
    until(lambda: there.take(TWO, LONG) == ONE, PATIENCE, "one holds", not_yet=(StoreError,))
    assert here.take(ONE, LONG) == ONE


def test_a_lock_that_was_deleted_can_be_released(
    leases: Callable[[], Lease], harm: Callable[[], Any]
) -> None:
    here = leases()
    here.take(ONE, LONG)
    harm()
    with suppress(StoreError):
        here.release(ONE)
    until(lambda: leases().take(TWO, LONG) == TWO, PATIENCE, "it is free", not_yet=(StoreError,))


# a lock that cannot be used

CLOSED = "127.0.0.1:1"
UNUSABLE = {
    "file, no folder": "file:{folder}/nowhere/lock",
    "file, a folder": "file:{folder}",
    "file, below a file": "file:{folder}/plain/lock",
    "sqlite, no folder": "sqlite:///{folder}/nowhere/lock.db",
    "sqlite, a folder": "sqlite:///{folder}",
    "redis, nobody listens": f"redis://me:s3cret@{CLOSED}/0",
    "redis, wrong password": "redis://me:s3cret@{redis}/0",
    "redis, behind no sentinel": f"sentinel://:s3cret@{CLOSED}/mymaster",
    "redis, no cluster": f"redis+cluster://:s3cret@{CLOSED}",
    "postgresql, nobody listens": f"postgresql://me:s3cret@{CLOSED}/beat",
    "postgresql, wrong user": "postgresql://nobody:s3cret@{postgresql}/test",
    "postgresql, no database": "postgresql://postgres:s3cret@{postgresql}/nowhere",
    "mysql, nobody listens": f"mysql://me:s3cret@{CLOSED}/beat",
    "mysql, wrong password": "mysql://nobody:s3cret@{mariadb}/test",
    "mysql, no database": "mysql://root@{mariadb}/nowhere",
}


@pytest.fixture(params=UNUSABLE)
def unusable(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> str:
    (tmp_path / "plain").write_text("")
    url = UNUSABLE[request.param].replace("{folder}", str(tmp_path))
    for name in ("redis", "postgresql", "mariadb"):
        if f"{{{name}}}" in url:
            url = url.replace(f"{{{name}}}", ":".join(map(str, server(name))))
    return url


def test_a_lock_that_cannot_be_used_says_why_in_one_line_and_no_password(
    unusable: str, tmp_path: Path
) -> None:
    clock, told = FakeClock(), list[Event]()
    lease = open_lease(unusable)
    election = Election(
        lease=lease, terms=Office(clock), me=ONE, clock=clock, ttl=2.0, tell=told.append
    )
    for _ in range(4):
        assert election.campaign() is None
        clock.advance(seconds=0.1)
    lease.close()
    (said,) = told
    assert isinstance(said, LockAway), told
    assert said.reason == election.lock_trouble
    assert "\n" not in said.reason and "s3cret" not in said.reason
    assert any(place in said.reason for place in (str(tmp_path), "127.0.0.1"))


def test_without_a_lock_there_is_none_to_be_away() -> None:
    clock, told = FakeClock(), list[Event]()
    election = Election(
        lease=open_lease("none"), terms=Office(clock), me=ONE, clock=clock, tell=told.append
    )
    assert election.campaign() is not None
    assert [type(event) for event in told] == [LeadWon] and not election.lock_trouble
