"""The operations that are special to SQLite, where the store is one file.

It has one writer at a time. Every commit is written to the disk before it is acknowledged.
"""

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from threading import Lock, local
from time import time_ns
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Table,
    create_engine,
    event,
    func,
    inspect,
    literal_column,
)
from sqlalchemy.pool import QueuePool

from beatd.catalog import Wake
from beatd.errors import StoreError, StoreUnusable
from beatd.servers import sqlite
from beatd.stores.disk import problems_of_disk
from beatd.stores.sql.dialect import (
    Batch,
    Columns,
    How,
    Kind,
    Replaced,
    Rows,
    as_json,
    has_column,
    insertion,
    lowered,
    on_conflict,
)
from beatd.stores.sql.tables import (
    delivery,
    delivery_live,
    entry,
    entry_outcome,
    metadata,
    pause,
    plan,
    plan_due,
    plan_stopped,
    running,
)

for table in (entry, plan, delivery, entry_outcome, running, pause):
    table.dialect_options["sqlite"]["with_rowid"] = False
# With partial indexes a claim writes one index row; stopped entries cost the others nothing.
plan_due.dialect_options["sqlite"]["where"] = plan.c.due.is_not(None)
plan_stopped.dialect_options["sqlite"]["where"] = plan.c.active == literal_column("0")
delivery_live.dialect_options["sqlite"]["where"] = delivery.c.live_since.is_not(None)


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
        self._lock = Lock()
        self._opened: sqlite.Identity | None = None
        # How often the file was replaced, and how often that was reported to each thread.
        self._losses, self._reported = 0, local()

    def where(self) -> str:
        return str(self._path)

    def engine(self) -> Engine:
        engine = create_engine(
            self._url,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=12,
            pool_use_lifo=True,  # each connection has a cache of its own: fill as few as possible
            connect_args={
                # Longer than on a server: SQLite has no queue of writers, so one of eight busy
                # writers may wait for seconds. A late claim does no harm: the term is compared
                # while the lock is held.
                "timeout": max(self._timeout, 5.0),
                "isolation_level": None,
                "check_same_thread": False,
            },
        )
        event.listen(engine, "do_connect", self._create_file)
        event.listen(engine, "connect", self._set_up)
        event.listen(engine, "engine_disposed", self._forget)
        return engine

    def _create_file(self, *_: object) -> None:
        sqlite.create_file(self._path, "store", hint=_state_folder_hint())

    def _set_up(self, connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        try:
            sqlite.keep_every_commit(cursor)
            cursor.execute("PRAGMA cache_size = -16000")
        finally:
            cursor.close()

    def batch(self, **columns: Kind) -> Batch:
        cells = ", ".join(
            f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(columns)
        )
        return Batch(f"SELECT {cells} FROM json_each(:v)", columns, as_json)

    def insert(self, connection: Connection, table: str, columns: Columns, rows: Rows) -> None:
        connection.exec_driver_sql(insertion(table, columns, "?"), list(map(tuple, rows)))

    def rewrite(
        self, connection: Connection, table: str, columns: Columns, key: Sequence[str], rows: Rows
    ) -> None:
        statement = insertion(table, columns, "?") + on_conflict(columns, key)
        connection.exec_driver_sql(statement, list(map(tuple, rows)))

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        self._check_identity()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    def _check_identity(self) -> None:
        with self._lock:
            # SQLite itself would write into a deleted file without an error.
            try:
                found = sqlite.identity(self._path)
            except OSError as error:
                raise StoreError(f"store {self._path}: {error.strerror}") from None
            reported = getattr(self._reported, "losses", self._losses)
            if self._opened is not None and sqlite.is_another(self._opened, found):
                self._losses += 1
            self._opened, self._reported.losses = found, self._losses
        # Each thread learns of the loss once.
        if reported != self._losses:
            raise Replaced(
                f"store {self._path}: came back as another file: it, or its -wal, was deleted or "
                "replaced while in use; what files and apps declare is applied again, other "
                "entries are those of the new one"
            )

    def _forget(self, _: Engine) -> None:
        with self._lock:
            # SQLite deletes its log with the last connection; a new log is no replaced file.
            self._opened = None

    def has_table(self, connection: Connection, name: str) -> bool:
        return inspect(connection).has_table(name)

    def strangers(self, connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    def create(self, connection: Connection, tables: Collection[Table]) -> None:
        metadata.create_all(connection, list(tables), checkfirst=False)

    def has_column(self, connection: Connection, column: Column[Any]) -> bool:
        return has_column(connection, column)

    def lock_schema(self, connection: Connection) -> None:
        """Do nothing, because BEGIN IMMEDIATE has already locked the whole database."""

    def unlock_schema(self, connection: Connection) -> None: ...

    def now(self, connection: Connection) -> int:
        return time_ns() // 1_000  # SQLite's own time is only exact to the millisecond

    def time(self, connection: Connection) -> tuple[int, str]:
        return self.now(connection), "this host"

    def matches(self, column: Any, pattern: str) -> Any:
        return func.glob(pattern.replace("[", "[[]"), column)

    def contains(self, column: Any, text: str) -> Any:
        return func.instr(func.lower(column), lowered(text)) > 0  # `lower` changes a to z only

    def notify(self, connection: Connection) -> None: ...

    def watch(self, wake: Wake) -> bool:
        return False

    def problems(self) -> Sequence[str]:
        return problems_of_disk(self._path)

    def close(self) -> None: ...

    def attempts(self, error: BaseException) -> int:
        # The first attempt has waited for its whole time-out already.
        return 2 if "database is locked" in str(error) else 1

    def waited(self, error: BaseException) -> bool:
        return "is locked" in str(error)

    def unusable(self, error: BaseException) -> str | None:
        return sqlite.unusable(error)


def _state_folder_hint() -> str:
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return f', as in store: {{url: "sqlite:///{state}/beatd.db"}}' if state else ""
