"""Leases in a database: one holder, by the database's clock, and gone with its holder's session."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from beatd.errors import ConfigError, StoreError, StoreUnusable
from beatd.leader import Holder, Lease
from beatd.leaders import postgresql
from beatd.leaders.databases import sql_lease
from beatd.leaders.postgresql import PostgresqlSession
from beatd.leaders.sql_lease import SqlLease
from beatd.servers.postgresql import PostgresqlConnection
from tests.pgbouncer import database

Server = Callable[[str], tuple[str, int]]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONG = 60.0  # a ttl that does not run out within a test
SHORT = 1.0  # one that does, and in which a busy server answers
HOLD = """
import sys, time
from datetime import UTC, datetime
from beatd.leader import Holder
from beatd.leaders.databases import sql_lease
me = Holder("child", "host", 1, datetime(2026, 3, 1, tzinfo=UTC), "child")
lease = sql_lease(sys.argv[1])
assert lease.take(me, float(sys.argv[2])) == me
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def leases(url: str) -> Iterator[Callable[[], Lease]]:
    """Each lease is another daemon's."""
    made: list[Lease] = []

    def another() -> Lease:
        made.append(sql_lease(url))
        return made[-1]

    yield another
    for lease in made:
        lease.close()


def holder(name: str) -> Holder:
    return Holder(name, f"host-of-{name}", 7, NOON, uuid4().hex)


def until(what: Callable[[], bool]) -> None:
    """Long before a ttl of LONG is over."""
    started = time.monotonic()
    while not what():
        assert time.monotonic() - started < LONG / 2, "it did not come true"


def test_the_first_to_ask_holds_it_and_all_are_told_who(leases: Callable[[], Lease]) -> None:
    one, two = holder("one"), holder("two")
    here, there = leases(), leases()
    assert here.take(one, LONG) == one
    assert there.take(two, LONG) == one
    assert here.take(one, LONG) == one


def test_it_is_free_at_once_when_released(leases: Callable[[], Lease]) -> None:
    one, two = holder("one"), holder("two")
    here, there = leases(), leases()
    here.take(one, LONG)
    here.release(one)
    assert there.take(two, LONG) == two
    assert here.take(one, LONG) == two


def test_a_released_one_is_free_though_the_clock_was_set_back(
    url: str, leases: Callable[[], Lease]
) -> None:
    one, two = holder("one"), holder("two")
    here = leases()
    here.take(one, LONG)
    assert isinstance(here, SqlLease) and here._session is not None
    # What a release leaves, read by a clock that has not come so far again.
    here._session.write(here._session.read(), "", "", hinted=False, seconds=LONG)
    assert leases().take(two, LONG) == two


def test_a_holder_that_cannot_be_read_is_doubt(url: str, leases: Callable[[], Lease]) -> None:
    here = leases()
    here.take(holder("one"), LONG)
    assert isinstance(here, SqlLease) and here._session is not None
    here._session.write(here._session.read(), "?", "another's", hinted=False, seconds=LONG)
    with pytest.raises(StoreError, match="beatd_lease"):
        leases().take(holder("two"), LONG)


def test_only_its_holder_can_release_it(leases: Callable[[], Lease]) -> None:
    one, two = holder("one"), holder("two")
    here, there = leases(), leases()
    here.take(one, LONG)
    there.take(two, LONG)
    there.release(two)
    assert there.take(two, LONG) == one


def test_it_is_taken_over_when_its_time_is_over(leases: Callable[[], Lease]) -> None:
    one, two = holder("one"), holder("two")
    here, there = leases(), leases()
    asked = time.monotonic()
    here.take(one, SHORT)
    until(lambda: there.take(two, LONG) == two)
    assert time.monotonic() - asked >= SHORT
    assert here.take(one, LONG) == two


def test_a_renewal_gives_it_its_whole_time_again(leases: Callable[[], Lease]) -> None:
    one, two = holder("one"), holder("two")
    here, there = leases(), leases()
    here.take(one, SHORT)
    here.take(one, LONG)
    assert there.take(two, LONG) == one


def test_two_starts_of_one_daemon_are_two_holders(leases: Callable[[], Lease]) -> None:
    one = holder("one")
    again = Holder(one.name, one.host, one.pid, one.since, "another token")
    here, there = leases(), leases()
    here.take(one, LONG)
    assert there.take(again, LONG) == one


def test_a_killed_holder_is_replaced_before_its_ttl_where_its_session_dies(url: str) -> None:
    ttl = 5.0 if url.startswith("sqlite") else LONG
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, url, str(ttl)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    lease, me = sql_lease(url), holder("standby")
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        assert lease.take(me, ttl).name == "child"
        child.kill()
        child.wait()
        until(lambda: lease.take(me, ttl) == me)
    finally:
        child.kill()
        child.communicate()
        lease.close()


def test_a_holder_without_the_session_lock_is_not_taken_for_dead(
    leases: Callable[[], Lease],
) -> None:
    # A frozen one still has the lock; the next holder leads by its row alone, and when the frozen
    # one dies the lock becomes free without any meaning.
    frozen, one, two = holder("frozen"), holder("one"), holder("two")
    stuck, here, there = leases(), leases(), leases()
    stuck.take(frozen, SHORT)
    until(lambda: here.take(one, LONG) == one)
    stuck.close()
    assert there.take(two, LONG) == one
    # It has taken the lock up by its next renewal, and from then on its death is noticed.
    here.take(one, LONG)
    assert there.take(two, LONG) == one


def test_a_frozen_holder_that_wakes_gives_the_session_lock_up(
    leases: Callable[[], Lease], url: str
) -> None:
    frozen, one, two = holder("frozen"), holder("one"), holder("two")
    stuck, here, there = leases(), leases(), leases()
    stuck.take(frozen, SHORT)
    until(lambda: here.take(one, LONG) == one)
    assert stuck.take(frozen, LONG) == one
    here.take(one, LONG)
    here.close()
    if not url.startswith("sqlite"):
        until(lambda: there.take(two, LONG) == two)


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


def test_behind_a_pooler_that_is_named_there_is_no_hint(postgresql_url: str) -> None:
    here, there = (sql_lease(f"{postgresql_url}&pooler=transaction") for _ in range(2))
    one, two = holder("one"), holder("two")
    asked = time.monotonic()
    assert here.take(one, SHORT) == one
    here.close()
    until(lambda: there.take(two, LONG) == two)
    assert time.monotonic() - asked >= SHORT, "its session is gone, and that says nothing"
    there.close()


def test_eight_who_ask_at_once_get_one_holder(url: str) -> None:
    leases = [sql_lease(url) for _ in range(8)]
    crowd = [holder(str(number)) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda lease, one: lease.take(one, LONG), leases, crowd))
    assert len({one.token for one in won}) == 1
    for lease in leases:
        lease.close()


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


# bad places


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_server_that_does_not_answer_is_doubt(kind: str) -> None:
    with pytest.raises(StoreError) as raised:
        sql_lease(f"{kind}://me:s3cret@127.0.0.1:1/beat").take(holder("one"), 1.0)
    assert not isinstance(raised.value, StoreUnusable)
    assert "127.0.0.1:1" in str(raised.value)
    assert "s3cret" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_database_that_is_not_there_is_told(kind: str, server: Server) -> None:
    host, port = server(kind)
    user, scheme = ("postgres", kind) if kind == "postgresql" else ("root", "mysql")
    with pytest.raises(StoreUnusable, match="no_such_database"):
        sql_lease(f"{scheme}://{user}@{host}:{port}/no_such_database").take(holder("one"), 1.0)


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


def test_a_sqlite_lock_in_no_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="there is no directory"):
        sql_lease(f"sqlite:///{tmp_path / 'state' / 'lock.db'}").take(holder("one"), 1.0)


def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(ConfigError, match="oracle"):
        sql_lease("oracle://me:s3cret@host/beat")
