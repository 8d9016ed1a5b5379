"""Read django-celery-beat's tables with SQL, without Django, and find the rows that changed."""

import weakref
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine, bindparam, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from beatd.errors import ConfigError, StoreError
from beatd.imports.scheduler_tables import DJANGO, Shape, driver_url, shape_of, unprepared
from beatd.imports.table_row import text_of

MARKER = "SELECT last_update FROM django_celery_beat_periodictasks WHERE ident = 1"
#: Columns that change without an edit: the scheduler writes them, and the date with them.
_NOT_EDITS = ("last_run_at", "total_run_count", "date_changed")
_ROWS_PER_QUERY = 1000
# Statements, because a pooler refuses them as options of the connection.
_SET_TIMEOUT = "SET LOCAL statement_timeout = 60000"
_READ_ONLY = {"postgresql_readonly": True}
_POSTGRESQL = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
_MYSQL = {"connect_timeout": 5, "read_timeout": 60, "write_timeout": 60}
CONNECT_ARGS: dict[str, dict[str, Any]] = {
    "postgresql": _POSTGRESQL,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
}


class Seen(Struct, frozen=True):
    """The name, hash and edit date of a django-celery-beat row, to notice when it is edited."""

    name: str
    hash: int
    changed: str = ""


class Listing(Struct, frozen=True):
    """A summary of all django-celery-beat rows, to find out later which of them changed.

    `rows` has the name, hash and edit date of each row by its id. `marker` is the time of the last
    edit when the summary was made.
    """

    rows: Mapping[int, Seen]
    marker: str

    @property
    def digest(self) -> str:
        """Return a hash of all rows, which changes with every edit of a row."""
        return digest_of(len(self.rows), sum(seen.hash for seen in self.rows.values()))


def digest_of(count: int, total: int) -> str:
    """Return a text like "12/34567" from the number of rows and the sum of their hashes."""
    return f"{count}/{total}"


class DjangoRows:
    """Reads the tables of django-celery-beat in one database, without Django.

    Each query is a short transaction. Raises StoreError if it fails or the task table is missing.
    """

    def __init__(self, url: str) -> None:
        address = driver_url(url)
        kind = address.get_backend_name()
        self._engine: Engine = create_engine(
            address,
            pool_size=1,
            max_overflow=1,
            pool_pre_ping=True,
            connect_args=CONNECT_ARGS.get(kind, {}) | unprepared(address),
            execution_options=_READ_ONLY if kind == "postgresql" else {},
        )
        if kind == "postgresql":
            event.listen(self._engine, "begin", _set_timeout)
        # A reload makes another object, and does not close this one.
        weakref.finalize(self, self._engine.dispose)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _add_hash_function)
        self._shape: Shape | None = None

    def marker(self) -> str:
        """Return a text that changes only when a row is edited through Django's models.

        It is the time of the last such edit as django-celery-beat stores it, or "" if there is
        none.
        """
        self._known()  # its error names a missing table better than the server's
        return str(next((row[0] for row in self._query(MARKER)), ""))

    def digest(self) -> str:
        """Return a hash of all rows, which changes with every edit; the database computes it."""
        (row,) = self._query(f"SELECT count(*), sum({self._hash()}) FROM {self._known().source}")
        return digest_of(int(row[0]), int(row[1] or 0))

    def listing(self) -> Listing:
        """Return a summary of all rows, with which later edits are found."""
        marker = self.marker()
        columns = f"t.id, t.name, {self._hash()}, {self._known().columns['date_changed']}"
        rows = self._query(f"SELECT {columns} FROM {self._known().source}")
        seen = {int(row[0]): Seen(str(row[1]), int(row[2]), str(row[3])) for row in rows}
        return Listing(seen, marker)

    def rows(self, ids: Iterable[int]) -> Iterator[Mapping[str, Any]]:
        """Yield the rows with these ids, in the order of the ids, as dicts by column name."""
        wanted = ", ".join(f"{value} AS {name}" for name, value in self._known().columns.items())
        query = text(
            f"SELECT {wanted} FROM {self._known().source} WHERE t.id IN :ids ORDER BY t.id"
        ).bindparams(bindparam("ids", expanding=True))
        left = sorted(ids)
        for start in range(0, len(left), _ROWS_PER_QUERY):
            with self._connection() as connection:
                found = connection.execute(query, {"ids": left[start : start + _ROWS_PER_QUERY]})
                chunk = [dict(row) for row in found.mappings()]
            yield from chunk

    def close(self) -> None:
        self._engine.dispose()

    def _known(self) -> Shape:
        if self._shape is None:
            with self._connection() as connection:
                self._shape = shape_of(connection, DJANGO)
        return self._shape

    def _hash(self) -> str:
        # Columns that beatd or a scheduler writes after each run are no edits.
        columns = [
            value
            for name, value in self._known().columns.items()
            if name not in _NOT_EDITS and value != "NULL"
        ]
        # The last run of a one-off counts: it may run and be enabled again without another trace.
        columns.append("CASE WHEN t.one_off THEN t.last_run_at END")
        match self._engine.dialect.name:
            case "postgresql":
                return f"hashtextextended(ROW({', '.join(columns)})::text, 0)"
            case "sqlite":
                # As bytes: SQLite keeps text that is no UTF-8, and gives it to no function.
                return f"beatd_hash({', '.join(f'CAST({one} AS BLOB)' for one in columns)})"
        parts = ", ".join(f"COALESCE({column}, '\u0001')" for column in columns)
        return f"CRC32(CONCAT_WS('\u0002', {parts}))"

    def _query(self, query: str) -> Sequence[Any]:
        with self._connection() as connection:
            return connection.execute(text(query)).all()

    def _connection(self) -> "_StoreConnection":
        return _StoreConnection(self._engine)


class _StoreConnection:
    # Raises database errors as StoreError, and also a ConfigError in the block, such as a missing
    # table.
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> Connection:
        try:
            self._connection = self._engine.connect()
        except (SQLAlchemyError, OSError) as error:
            raise _trouble(error) from error
        return self._connection

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        self._connection.close()
        if isinstance(error, SQLAlchemyError | OSError):
            raise _trouble(error) from error
        if isinstance(error, ConfigError):
            raise StoreError(f"django-celery-beat: {error}; has `migrate` been run?") from error


def _trouble(error: SQLAlchemyError | OSError) -> StoreError:
    cause = getattr(error, "orig", None) or error
    return StoreError(f"django-celery-beat: {' '.join(str(cause).split())[:200]}")


def _set_timeout(connection: Connection) -> None:
    connection.exec_driver_sql(_SET_TIMEOUT)


def _add_hash_function(connection: Any, _record: Any) -> None:
    # SQLite has no hash function.
    connection.text_factory = text_of

    def beatd_hash(*values: Any) -> int:
        return zlib.crc32(repr(values).encode())

    connection.create_function("beatd_hash", -1, beatd_hash, deterministic=True)
