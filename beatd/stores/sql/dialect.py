"""The protocol of a database: what differs between SQLite, PostgreSQL, MariaDB and MySQL."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import json
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    Engine,
    Integer,
    Subquery,
    Text,
    literal_column,
    text,
)
from sqlalchemy.types import TypeEngine

from beatd.catalog import Wake
from beatd.errors import StoreError

Kind = Literal["text", "int", "float"]
How = Literal["returning", "each", "locked"]  # see plan_moves.py
Columns = Mapping[str, Kind]
Rows = Sequence[Sequence[Any]]
Words = Callable[[Columns, Rows], dict[str, Any]]  # turns rows into the parameters of a statement
TYPES: dict[Kind, TypeEngine[Any]] = {"text": Text(), "int": BigInteger(), "float": Double()}


class Batch:
    """A relation `v` in a statement whose rows are given as parameters, any number of them at
    once."""

    def __init__(self, select: str, columns: Columns, words: Words) -> None:
        typed = {name: TYPES[kind] for name, kind in columns.items()}
        self.relation: Subquery = text(select).columns(**typed).subquery("v")
        self.c = self.relation.c
        self._columns, self._words = columns, words

    def bind(self, rows: Rows) -> dict[str, Any]:
        return self._words(self._columns, rows)


def as_json(_: Columns, rows: Rows) -> dict[str, Any]:
    return {"v": json.encode(rows).decode()}


class Replaced(StoreError):
    """Raised when the file of the open store was deleted or replaced by another one."""


class Dialect(Protocol):
    name: str
    has_clock: bool  # False if its clock is that of this host
    moving: How

    def engine(self) -> Engine: ...

    def where(self) -> str:
        """Return the place of the store for messages: a path, or host:port/database."""

    def batch(self, **columns: Kind) -> Batch: ...

    def insert(self, connection: Connection, table: str, columns: Columns, rows: Rows) -> None:
        """Insert many rows at once. `columns` gives their order and kinds; only a number may be
        None."""

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        """Start a transaction. If patient, a statement may take two minutes instead of the
        time-out.

        Raises Replaced, once in each thread, if the file of the store is another one than was
        opened.
        """

    def has_table(self, connection: Connection, name: str) -> bool:
        """Return True if a statement that names no schema finds a table of this name."""

    def strangers(self, connection: Connection) -> set[str]:
        """Return the names of all tables in the database, except those that an interrupted `create`
        left."""

    def create(self, connection: Connection) -> None:
        """Create all tables of the store, with the options that only this database has."""

    def lock_schema(self, connection: Connection) -> None:
        """Take the lock that keeps other processes from migrating, until `unlock_schema` or the end
        of the session."""

    def unlock_schema(self, connection: Connection) -> None:
        """Release the lock of `lock_schema` once this migration is committed."""

    def now(self, connection: Connection) -> int:
        """Return the database's time in microseconds since 1970."""

    def time(self, connection: Connection) -> tuple[int, str]:
        """Return the database's time in microseconds since 1970, rounded down, and a name of the
        server whose clock it is."""

    def matches(self, column: Any, pattern: str) -> Any:
        """Return the condition that a column matches a shell pattern of * and ?; case matters."""

    def notify(self, connection: Connection) -> None:
        """Wake the watchers of all processes when this transaction commits, if the database can do
        so."""

    def watch(self, wake: Wake) -> bool:
        """Call `wake` whenever a transaction that called `notify` commits. Return False if the
        database cannot notify; then `wake` is never called."""

    def problems(self) -> Sequence[str]:
        """Return a line for each problem of the disk or server of the store."""

    def close(self) -> None: ...

    def attempts(self, error: BaseException) -> int:
        """Return how often to try a transaction in all that failed with this error: more than 1 if
        the database rolled it back for the sake of another transaction, 1 for every other error."""

    def waited(self, error: BaseException) -> bool:
        """Return True if the statement failed by a time-out, mostly since another session holds a
        lock."""

    def unusable(self, error: BaseException) -> str | None:
        """Return what the operator must correct, if waiting cannot help; None for all other
        errors."""


def insertion(table: str, columns: Iterable[str], mark: str, quote: str = '"') -> str:
    """Return an INSERT statement for one row; `mark` is the driver's placeholder for a value."""
    names = [f"{quote}{name}{quote}" for name in columns]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"


def like(pattern: str) -> str:
    """Return the LIKE pattern that matches as a shell pattern of * and ? does; its escape character
    is "!"."""
    plain = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return plain.replace("*", "%").replace("?", "_")


def literally(limit: int) -> ColumnElement[int]:
    """Return a limit as a literal in the statement. With a bound parameter the planner would assume
    that a tenth of the table is read."""
    return literal_column(str(int(limit)), Integer)
