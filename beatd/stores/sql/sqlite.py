"""SQLite: a file, one writer at a time, every commit on disk."""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from sqlite3 import OperationalError
from threading import local
from time import sleep
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
from beatd.stores.sql.schema import entry, metadata, plan, plan_due, plan_stopped

NOT_MENDED_BY_WAITING = (
    ("file is not a database", "is not a SQLite database; name another file"),
    ("readonly database", "is read-only; make it writable for this user"),
    ("unable to open database", "cannot be opened; check that this user may write there"),
    ("malformed", "is damaged; restore a copy of it"),
)

for table in (entry, plan):
    table.dialect_options["sqlite"]["with_rowid"] = False
# A claim then writes one index row, and the few that are stopped cost nobody else anything.
plan_due.dialect_options["sqlite"]["where"] = plan.c.due.is_not(None)
plan_stopped.dialect_options["sqlite"]["where"] = plan.c.active == literal_column("0")


class Sqlite:
    name = "sqlite"
    has_clock = False
    moving: How = "each"
    bound = ""

    def __init__(self, url: URL, timeout: float) -> None:
        if not url.database or url.database == ":memory:" or url.query:
            raise StoreUnusable(f"store {url}: name a file, as in sqlite:///beatd.db")
        self._path = Path(url.database)
        self._url = url
        self._timeout = timeout
        self._opened: tuple[int, int] | None = None
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
                raise StoreUnusable(
                    f"store {path}: is read-only; make it writable for this user{_way_out()}"
                )
        except OSError as error:
            reason = error.strerror or "cannot be opened"
            raise StoreUnusable(
                f"store {path}: {reason}; name a file this user may write{_way_out()}"
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
        return Batch(f"SELECT {cells} FROM json_each(:v)", columns, as_json)

    def insert(self, connection: Connection, table: str, columns: Columns, rows: Rows) -> None:
        connection.exec_driver_sql(insertion(table, columns, "?"), list(map(tuple, rows)))

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        self._notice_another()
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    def _notice_another(self) -> None:
        """A connection goes on in a deleted file as if nothing were; nobody reads that again."""
        found = _identity(self._path)
        told = getattr(self._told, "losses", self._losses)
        if self._opened not in (None, found):
            self._losses += 1
        self._opened, self._told.losses = found, self._losses
        if told != self._losses:
            raise Replaced(
                f"store {self._path}: came back as another file: it was deleted or replaced while "
                "in use; what files and apps declare is applied again, other entries are those of "
                "the new one"
            )

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
        days = "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)"
        return int(connection.scalar(text(f"SELECT {days} * 1000")) or 0)

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
        for sign, line in NOT_MENDED_BY_WAITING:
            if sign in str(error):
                return line
        return None


def _way_out() -> str:
    """Under systemd there is a place that a unit may write in, and /etc is often not."""
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return f', as in store: {{url: "sqlite:///{state}/beatd.db"}}' if state else ""


def _identity(path: Path) -> tuple[int, int] | None:
    # Never by opening it: to close it again would drop this process's locks on it.
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"store {path}: {error.strerror}") from None
    return found.st_dev, found.st_ino


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
