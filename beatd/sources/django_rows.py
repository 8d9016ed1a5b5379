"""django-celery-beat's rows, read again one by one where they changed; Django itself is not
needed."""

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
#: What is not an edit: who runs the tasks writes these, and the date comes with them.
_NOT_EDITS = ("last_run_at", "total_run_count", "date_changed")
_CHUNK = 1000
# Neither of them as a word of the connection, for which a pooler refuses it.
_WITHIN = "SET LOCAL statement_timeout = 60000"
_READ_ONLY = {"postgresql_readonly": True}
_POSTGRESQL = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
_MYSQL = {"connect_timeout": 5, "read_timeout": 60, "write_timeout": 60}
WAITS: dict[str, dict[str, Any]] = {
    "postgresql": _POSTGRESQL,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
}


class Seen(Struct, frozen=True):
    """A row without its content: what it was called, a hash of what decides what it does, and
    its date_changed as the database gave it."""

    name: str
    hash: int
    changed: str = ""


class Listing(Struct, frozen=True):
    """All rows by id, and the marker as it was before they were read."""

    rows: Mapping[int, Seen]
    marker: str

    @property
    def digest(self) -> str:
        return digest_of(len(self.rows), sum(seen.hash for seen in self.rows.values()))


def digest_of(count: int, total: int) -> str:
    return f"{count}/{total}"


class DjangoRows:
    """The tables of one database; every method is one short transaction."""

    def __init__(self, url: str) -> None:
        address = driver_url(url)
        kind = address.get_backend_name()
        self._engine: Engine = create_engine(
            address,
            pool_size=1,
            max_overflow=1,
            pool_pre_ping=True,
            connect_args=WAITS.get(kind, {}) | unprepared(address),
            execution_options=_READ_ONLY if kind == "postgresql" else {},
        )
        if kind == "postgresql":
            event.listen(self._engine, "begin", _bound)
        # A reload makes another one, and nobody tells this one that it is over.
        weakref.finalize(self, self._engine.dispose)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _teach_hash)
        self._shape: Shape | None = None

    def marker(self) -> str:
        """Changes with every edit made through Django's models, and with nothing else."""
        self._known()  # tells better than the server what is missing
        return str(next((row[0] for row in self._ask(MARKER)), ""))

    def digest(self) -> str:
        """One row for all of them, made by the server; notices what the marker does not."""
        (row,) = self._ask(f"SELECT count(*), sum({self._hash()}) FROM {self._known().source}")
        return digest_of(int(row[0]), int(row[1] or 0))

    def listing(self) -> Listing:
        marker = self.marker()
        columns = f"t.id, t.name, {self._hash()}, {self._known().columns['date_changed']}"
        rows = self._ask(f"SELECT {columns} FROM {self._known().source}")
        seen = {int(row[0]): Seen(str(row[1]), int(row[2]), str(row[3])) for row in rows}
        return Listing(seen, marker)

    def rows(self, ids: Iterable[int]) -> Iterator[Mapping[str, Any]]:
        wanted = ", ".join(f"{value} AS {name}" for name, value in self._known().columns.items())
        query = text(
            f"SELECT {wanted} FROM {self._known().source} WHERE t.id IN :ids ORDER BY t.id"
        ).bindparams(bindparam("ids", expanding=True))
        left = sorted(ids)
        for start in range(0, len(left), _CHUNK):
            with self._connection() as connection:
                found = connection.execute(query, {"ids": left[start : start + _CHUNK]})
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
        """An expression for a whole number made of all that is an edit."""
        columns = [
            value
            for name, value in self._known().columns.items()
            if name not in _NOT_EDITS and value != "NULL"
        ]
        # A one-off that ran and was enabled again looks as it did before.
        columns.append("CASE WHEN t.one_off THEN t.last_run_at END")
        match self._engine.dialect.name:
            case "postgresql":
                return f"hashtextextended(ROW({', '.join(columns)})::text, 0)"
            case "sqlite":
                # As bytes: SQLite keeps text that is no UTF-8, and gives it to no function.
                return f"beatd_hash({', '.join(f'CAST({one} AS BLOB)' for one in columns)})"
        parts = ", ".join(f"COALESCE({column}, '\u0001')" for column in columns)
        return f"CRC32(CONCAT_WS('\u0002', {parts}))"

    def _ask(self, query: str) -> Sequence[Any]:
        with self._connection() as connection:
            return connection.execute(text(query)).all()

    def _connection(self) -> "_Told":
        return _Told(self._engine)


class _Told:
    """A connection whose troubles are the store's."""

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


def _bound(connection: Connection) -> None:
    connection.exec_driver_sql(_WITHIN)


def _teach_hash(connection: Any, _record: Any) -> None:
    """SQLite has no hash of its own; it asks us, in the same process."""
    connection.text_factory = text_of

    def beatd_hash(*values: Any) -> int:
        return zlib.crc32(repr(values).encode())

    connection.create_function("beatd_hash", -1, beatd_hash, deterministic=True)
