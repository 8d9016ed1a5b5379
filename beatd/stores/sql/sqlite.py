"""SQLite: a file, one writer at a time, every commit on disk."""

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock, local
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    inspect,
    literal_column,
    text,
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
    insertion,
)
from beatd.stores.sql.tables import entry, metadata, plan, plan_due, plan_stopped

for table in (entry, plan):
    table.dialect_options["sqlite"]["with_rowid"] = False
# A claim then writes one index row, and the few that are stopped cost nobody else anything.
plan_due.dialect_options["sqlite"]["where"] = plan.c.due.is_not(None)
plan_stopped.dialect_options["sqlite"]["where"] = plan.c.active == literal_column("0")


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
        self._looking = Lock()
        self._opened: sqlite.Identity | None = None
        self._losses, self._told = 0, local()  # each thread is told of each

    def where(self) -> str:
        return str(self._path)

    def engine(self) -> Engine:
        engine = create_engine(
            self._url,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=12,
            pool_use_lifo=True,  # each has a cache of its own: as few as will do are filled
            connect_args={
                # Longer than a session on a server waits: SQLite knows no queue, so that whoever is
                # unlucky among eight busy writers is passed over for seconds. What is late there
                # does no harm, for the term is compared with the lock in hand.
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
        sqlite.create_file(self._path, "store", hint=_way_out())

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

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        self._notice_another()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    def _notice_another(self) -> None:
        """A connection goes on in a deleted file, or log, as if nothing were; nobody reads it."""
        with self._looking:
            try:
                found = sqlite.identity(self._path)
            except OSError as error:
                raise StoreError(f"store {self._path}: {error.strerror}") from None
            told = getattr(self._told, "losses", self._losses)
            if self._opened is not None and sqlite.is_another(self._opened, found):
                self._losses += 1
            self._opened, self._told.losses = found, self._losses
        if told != self._losses:
            raise Replaced(
                f"store {self._path}: came back as another file: it, or its -wal, was deleted or "
                "replaced while in use; what files and apps declare is applied again, other "
                "entries are those of the new one"
            )

    def _forget(self, _: Engine) -> None:
        """The last connection that is closed takes the log away; the next one makes another."""
        with self._looking:
            self._opened = None

    def has_table(self, connection: Connection, name: str) -> bool:
        return inspect(connection).has_table(name)

    def strangers(self, connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    def create(self, connection: Connection) -> None:
        metadata.create_all(connection, checkfirst=False)

    def lock_schema(self, connection: Connection) -> None:
        """BEGIN IMMEDIATE is the lock."""

    def unlock_schema(self, connection: Connection) -> None: ...

    def now(self, connection: Connection) -> int:
        return int(connection.scalar(text(f"SELECT {sqlite.NOW_MICROS}")) or 0)

    def time(self, connection: Connection) -> tuple[int, str]:
        return self.now(connection), "this host"

    def matches(self, column: Any, pattern: str) -> Any:
        return func.glob(pattern.replace("[", "[[]"), column)

    def notify(self, connection: Connection) -> None: ...

    def watch(self, wake: Wake) -> bool:
        return False

    def problems(self) -> Sequence[str]:
        return problems_of_disk(self._path)

    def close(self) -> None: ...

    def attempts(self, error: BaseException) -> int:
        # It has waited for its whole time-out already.
        return 2 if "database is locked" in str(error) else 1

    def waited(self, error: BaseException) -> bool:
        return "is locked" in str(error)

    def unusable(self, error: BaseException) -> str | None:
        return sqlite.unusable(error)


def _way_out() -> str:
    """Under systemd there is a place that a unit may write in, and /etc is often not."""
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return f', as in store: {{url: "sqlite:///{state}/beatd.db"}}' if state else ""
