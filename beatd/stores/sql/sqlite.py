"""SQLite: a file, one writer at a time, every commit on disk."""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from sqlite3 import OperationalError
from time import sleep
from typing import Any

from msgspec import json
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    inspect,
    text,
)
from sqlalchemy.pool import QueuePool

from beatd.catalog import Wake
from beatd.errors import StoreUnusable
from beatd.stores.sql.dialect import Batch, Columns, How, Kind, insertion
from beatd.stores.sql.schema import entry, metadata, plan, plan_due

NOT_MENDED_BY_WAITING = (
    ("file is not a database", "is not a SQLite database; name another file"),
    ("readonly database", "is read-only; make it writable for this user"),
    ("unable to open database", "cannot be opened; check that this user may write there"),
    ("malformed", "is damaged; restore a copy of it"),
)


class JsonBatch(Batch):
    def bind(self, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
        return {"v": json.encode(rows).decode()}


class Sqlite:
    name = "sqlite"
    has_clock = False
    moving: How = "each"

    def __init__(self, url: URL, timeout: float) -> None:
        if not url.database or url.database == ":memory:" or url.query:
            raise StoreUnusable(f"store {url}: name a file, as in sqlite:///beatd.db")
        self._path = Path(url.database)
        self._url = url
        self._timeout = timeout

    def where(self) -> str:
        return str(self._path)

    def engine(self) -> Engine:
        engine = create_engine(
            self._url,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=12,
            connect_args={
                "timeout": max(self._timeout, 5.0),
                "isolation_level": None,
                "check_same_thread": False,
            },
        )
        event.listen(engine, "do_connect", self._create_file)
        event.listen(engine, "connect", self._set_up)
        return engine

    def _create_file(self, *_: object) -> None:
        path = self._path
        if path.is_dir():
            raise StoreUnusable(f"store {path}: is a directory; name a file in it")
        if not path.parent.is_dir():
            raise StoreUnusable(f"store {path}: there is no directory {path.parent}; make it first")
        try:
            # SQLite gives its log files the mode of the database, so this one is enough. Never open
            # one that is there: to close it again would drop every POSIX lock that this process
            # has on it, and the next program to leave would take the log away from under us.
            with suppress(FileExistsError):
                flags = os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                os.close(os.open(path, flags, 0o600))
            if not stat.S_ISREG(path.stat().st_mode):
                raise StoreUnusable(f"store {path}: is not a regular file; name another")
            if not os.access(path, os.W_OK):
                raise StoreUnusable(f"store {path}: is read-only; make it writable for this user")
        except OSError as error:
            reason = error.strerror or "cannot be opened"
            raise StoreUnusable(
                f"store {path}: {reason}; name a file this user may write"
            ) from error

    def _set_up(self, connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        try:
            # Asking first: setting it, even to what it is, needs the whole file for itself.
            if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                _write_ahead(cursor)
            cursor.execute("PRAGMA synchronous = FULL")
            cursor.execute("PRAGMA cache_size = -16000")
        finally:
            cursor.close()

    def batch(self, **columns: Kind) -> Batch:
        cells = ", ".join(
            f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(columns)
        )
        return JsonBatch(f"SELECT {cells} FROM json_each(:v)", columns)

    def insert(
        self, connection: Connection, table: str, columns: Columns, rows: Sequence[Sequence[Any]]
    ) -> None:
        connection.exec_driver_sql(insertion(table, columns, "?"), list(map(tuple, rows)))

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    def strangers(self, connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    def create(self, connection: Connection) -> None:
        for table in (entry, plan):
            table.dialect_options["sqlite"]["with_rowid"] = False
        plan_due.dialect_options["sqlite"]["where"] = plan.c.due.is_not(None)
        metadata.create_all(connection, checkfirst=False)

    def lock_schema(self, connection: Connection) -> None:
        """BEGIN IMMEDIATE is the lock."""

    def unlock_schema(self, connection: Connection) -> None: ...

    def now(self, connection: Connection) -> int:
        days = "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)"
        return int(connection.scalar(text(f"SELECT {days} * 1000")) or 0)

    def matches(self, column: Any, pattern: str) -> Any:
        return func.glob(pattern.replace("[", "[[]"), column)

    def notify(self, connection: Connection) -> None: ...

    def watch(self, wake: Wake) -> bool:
        return False

    def close(self) -> None: ...

    def attempts(self, error: BaseException) -> int:
        # It has waited for its whole time-out already.
        return 2 if "database is locked" in str(error) else 1

    def unusable(self, error: BaseException) -> str | None:
        for sign, line in NOT_MENDED_BY_WAITING:
            if sign in str(error):
                return line
        return None


def _write_ahead(cursor: Any) -> None:
    """The one change that does not wait for others by itself, at the first start of several."""
    for attempt in range(200):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except OperationalError:
            if attempt == 199:
                raise
            sleep(0.01)
