"""How a store opens: made at once by many, refused with one line, never with a secret in it."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine, text

from beatd.catalog import Query
from beatd.definition import codec
from beatd.errors import (
    ConfigError,
    Deposed,
    MissingExtra,
    ProgramTooOld,
    StoreError,
    StoreUnusable,
)
from beatd.leader import Term
from beatd.stores.sql import SqlStore
from beatd.stores.sql.tables import metadata
from beatd.stores.sql.url import dialect_of
from tests.stores.making import at, holder, lead, put, step

NOBODY = 65534
CROWD = 8
OPENERS = """
import os, sys
import psycopg, pymysql
from beatd.definition import codec
from beatd.stores.sql import SqlStore
url, crowd = sys.argv[1], int(sys.argv[2])
reads, writes = os.pipe()
for _ in range(crowd):
    if os.fork() == 0:
        os.close(writes)
        os.read(reads, 1)  # ends when all are there
        store = SqlStore(url, codec=codec)
        os.write(1, f"{store.namespace}\\n".encode())  # at once, so that no other is in between
        store.close()
        sys.exit()
os.close(writes)
sys.exit(any([os.wait()[1] for _ in range(crowd)]))
"""


def opened(url: str) -> SqlStore:
    return SqlStore(url, codec=codec)


def told(url: str, kind: type[Exception] = StoreUnusable) -> str:
    """What opening it says: one line, and nothing secret."""
    with pytest.raises(kind) as raised:
        opened(url)
    line = str(raised.value)
    assert "\n" not in line
    assert "s3cret" not in line
    return line


def change(url: str, statement: str) -> None:
    plain = url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:")
    engine = create_engine(plain)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


# made and migrated


def test_eight_processes_that_open_a_new_database_at_once_make_one_store(url: str) -> None:
    command = [sys.executable, "-c", OPENERS, url, str(CROWD)]
    told = subprocess.run(command, capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (0, "")
    namespaces = told.stdout.split()
    assert len(namespaces) == CROWD and len(set(namespaces)) == 1


def test_the_identity_is_made_once(url: str) -> None:
    one, two = opened(url), opened(url)
    assert one.namespace == two.namespace
    one.close()
    two.close()


def test_a_schema_that_serves_this_program_is_used(url: str) -> None:
    opened(url).close()
    change(url, "UPDATE beatd_ledger SET version = 7")
    with closing(opened(url)) as store:
        assert put(store).entry.name == "tidy"


def test_a_schema_that_no_longer_serves_this_program_is_refused(url: str) -> None:
    opened(url).close()
    change(url, "UPDATE beatd_ledger SET version = 7, serves = 5")
    assert "upgrade beatd" in told(url)


def test_a_running_program_too_old_for_a_new_schema_claims_nothing_more(url: str) -> None:
    store = opened(url)
    term, stored = lead(store), put(store)
    change(url, "UPDATE beatd_ledger SET version = 7, serves = 5")
    with pytest.raises(ProgramTooOld, match="upgrade beatd"):
        store.claim([step(store, stored)], term, at(0))
    with pytest.raises(ProgramTooOld, match="upgrade beatd"):
        store.begin(holder())
    store.close()


def test_a_table_of_another_program_is_not_touched(url: str) -> None:
    for table in sorted(metadata.tables):
        change(url, f"CREATE TABLE {table} (colour VARCHAR(20))")
        line = told(url)
        assert table in line
        assert "exists and is not of beatd" in line
        change(url, f"INSERT INTO {table} VALUES ('green')")
        change(url, f"DROP TABLE {table}")


def test_tables_of_other_programs_beside_ours_do_not_matter(url: str) -> None:
    change(url, "CREATE TABLE orders (colour VARCHAR(20))")
    with closing(opened(url)) as store:
        assert put(store).entry.name == "tidy"


def test_a_mariadb_start_that_was_killed_halfway_is_finished_by_the_next(mariadb_url: str) -> None:
    opened(mariadb_url).close()
    for table in ("beatd_ledger", "beatd_plan"):
        change(mariadb_url, f"DROP TABLE {table}")
    with closing(opened(mariadb_url)) as store:
        assert put(store).entry.name == "tidy"


# locked by another session

LOCKS = {
    "postgresql": "LOCK TABLE beatd_ledger IN ACCESS EXCLUSIVE MODE",
    "mysql": "LOCK TABLES beatd_ledger WRITE",
    "sqlite": "PRAGMA locking_mode = EXCLUSIVE",
}


@contextmanager
def locked(url: str) -> Iterator[None]:
    kind = url.split(":")[0]
    plain = url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:")
    engine = create_engine(plain)
    with engine.connect() as connection:
        connection.exec_driver_sql(LOCKS[kind])
        if kind == "sqlite":
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
        yield
    engine.dispose()


def test_a_ledger_that_another_session_has_locked_is_waited_for(url: str) -> None:
    opened(url).close()
    with locked(url), pytest.raises(StoreError) as refusal:
        SqlStore(url, codec=codec, timeout=1.0)
    assert not isinstance(refusal.value, StoreUnusable), "waiting helps"
    assert "lock" in str(refusal.value) and "\n" not in str(refusal.value)
    opened(url).close()


# SQLite files


def test_a_new_file_is_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "beatd.db"
    store = opened(f"sqlite:///{path}")
    put(store)
    for one in tmp_path.iterdir():
        assert stat.S_IMODE(one.stat().st_mode) == 0o600, one
    store.close()


def test_asking_a_store_that_is_not_there_yet_makes_it(tmp_path: Path) -> None:
    store = opened(f"sqlite:///{tmp_path / 'beatd.db'}")
    assert list(store.find(Query())) == []
    store.close()


def test_sqlite_keeps_every_commit(tmp_path: Path) -> None:
    store = opened(f"sqlite:///{tmp_path / 'beatd.db'}")
    with store._db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    store.close()


def test_a_directory_is_no_sqlite_file(tmp_path: Path) -> None:
    assert "is a directory" in told(f"sqlite:///{tmp_path}")


def test_a_place_that_cannot_be_looked_at_is_told_in_one_line(tmp_path: Path) -> None:
    # As in a directory that this user may not enter; root may enter all of them.
    line = told(f"sqlite:///{tmp_path / ('x' * 300)}")
    assert "File name too long; name a file this user may write" in line


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    line = told(f"sqlite:///{tmp_path / 'state' / 'beatd.db'}")
    assert f"there is no directory {tmp_path / 'state'}" in line


def test_a_file_of_another_kind_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, and long enough not to be taken for an empty one\n" * 20)
    before = path.read_bytes()
    assert "is not a SQLite database" in told(f"sqlite:///{path}")
    assert path.read_bytes() == before


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user who is not root, for whom nothing is read-only."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_read_only_file_is_refused() -> None:
    # Not below tmp_path, which only its owner may enter.
    with tempfile.TemporaryDirectory(prefix="beatd-test-") as name:
        path = Path(name, "beatd.db")
        opened(f"sqlite:///{path}").close()
        path.chmod(0o444)
        path.parent.chmod(0o755)
        with as_nobody():
            assert "read-only" in told(f"sqlite:///{path}")


def test_a_store_that_turned_read_only_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(f"sqlite:///{tmp_path / 'beatd.db'}")
    refusal = sqlite3.OperationalError("attempt to write a readonly database")
    assert "is read-only" in str(store._db.explained(refusal))
    store.close()


def test_a_device_is_no_sqlite_file() -> None:
    assert "not a regular file" in told("sqlite:////dev/null")


def test_a_sqlite_url_without_a_file_is_refused() -> None:
    assert "name a file" in told("sqlite://")


# servers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_server_that_does_not_answer_is_named_without_the_password(kind: str) -> None:
    port = free_port()
    line = told(f"{kind}://me:s3cret@127.0.0.1:{port}/beat", StoreError)
    assert f"127.0.0.1:{port}" in line


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_an_unknown_host_is_named_without_the_password(kind: str) -> None:
    assert "no-such-host" in told(f"{kind}://me:s3cret@no-such-host.invalid/beat", StoreError)


def test_waiting_does_not_make_a_server_unusable() -> None:
    with pytest.raises(StoreError) as raised:
        opened(f"postgresql://me:s3cret@127.0.0.1:{free_port()}/beat")
    assert not isinstance(raised.value, StoreUnusable)


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_server_that_accepts_and_stays_silent_is_given_up(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(StoreError):
            SqlStore(f"{kind}://me:s3cret@127.0.0.1:{port}/beat", codec=codec, timeout=1.0)


def test_a_wrong_password_is_told_and_not_shown(mariadb_url: str) -> None:
    place = mariadb_url.split("@")[1]
    assert "password is refused" in told(f"mysql://nobody:s3cret@{place}")


def test_a_postgresql_password_refusal_is_told_and_not_shown() -> None:
    dialect = dialect_of("postgresql://me:s3cret@127.0.0.1/beat", 1.0)
    refusal = psycopg.OperationalError(
        'connection failed: FATAL:  password authentication failed for user "me"'
    )
    assert "password is refused" in (dialect.unusable(refusal) or "")


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_database_that_is_not_there_is_told(kind: str, server: Any) -> None:
    host, port = server(kind)
    user, scheme = ("postgres", kind) if kind == "postgresql" else ("root", "mysql")
    assert "create it first" in told(f"{scheme}://{user}@{host}:{port}/no_such_database")


def test_a_url_that_cannot_be_read_is_not_shown() -> None:
    assert "store.url" in told("postgresql://me:s3cret@host:port/beat", ConfigError)


def test_an_unknown_database_is_refused() -> None:
    assert "oracle" in told("oracle://me:s3cret@host/beat", ConfigError)


@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_missing_driver_says_what_to_install(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for room in ("stores.sql", "servers"):
        monkeypatch.delitem(sys.modules, f"beatd.{room}.{kind}", raising=False)
    for driver in ("psycopg", "pymysql"):
        monkeypatch.setitem(sys.modules, driver, None)
    assert f"beatd[{kind}]" in told(f"{kind}://me:s3cret@host/beat", MissingExtra)


# servers that come and go


@pytest.mark.parametrize("url", ["postgresql", "mariadb"], indirect=True)
def test_a_connection_that_was_cut_is_made_again_by_the_next_call(url: str) -> None:
    store = opened(url)
    put(store)
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :id"
    if url.startswith("mysql"):
        others = "KILL CONNECTION :id"
    ask = "SELECT pg_backend_pid()" if url.startswith("post") else "SELECT CONNECTION_ID()"
    with store._db.engine.connect() as connection:
        number = connection.exec_driver_sql(ask).scalar()
    change(url, others.replace(":id", str(number)))
    assert [row.entry.name for row in store.find(Query())] == ["tidy"]
    store.close()


def test_a_term_that_was_never_issued_may_not_claim(url: str) -> None:
    store = opened(url)
    stored = put(store)
    with pytest.raises(Deposed):
        store.claim([step(store, stored)], Term(0, "guess"), at(0))
    store.close()


def test_a_session_that_froze_is_given_up_and_replaced(postgresql_url: str) -> None:
    store = SqlStore(postgresql_url, codec=codec, timeout=2.0)
    put(store)
    with store._db.engine.connect() as connection:
        backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() or 0
    os.kill(backend, signal.SIGSTOP)
    try:
        assert store.version() == "1"
    finally:
        os.kill(backend, signal.SIGCONT)
        store.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("term", "x"), ("term", 2**63 - 1), ("term", -1), ("namespace", "x"),
        ("namespace", b"\xff"), ("version", "x"), ("version", 0), ("serves", "x"),
    ],
)  # fmt: skip
def test_a_damaged_row_of_the_ledger_is_told(tmp_path: Path, column: str, value: Any) -> None:
    path = tmp_path / "beatd.db"
    with closing(SqlStore(f"sqlite:///{path}", codec=codec)) as store:
        put(store, "a")
        with closing(sqlite3.connect(path)) as file, file:
            file.execute(f"UPDATE beatd_ledger SET {column} = ?", (value,))
        with pytest.raises(StoreUnusable, match=f"beatd_ledger is damaged: {column} is"):
            lead(store)
    with pytest.raises(StoreUnusable, match=f"beatd_ledger is damaged: {column} is"):
        SqlStore(f"sqlite:///{path}", codec=codec)


def test_a_damaged_name_of_the_leader_deposes_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "beatd.db"
    with closing(SqlStore(f"sqlite:///{path}", codec=codec)) as store:
        stored, old = put(store, "a"), lead(store)
        lead(store, "two")
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("UPDATE beatd_ledger SET holder = '{'")
        with pytest.raises(Deposed, match="held by a daemon whose name is damaged"):
            store.claim([step(store, stored)], old, at(1))
