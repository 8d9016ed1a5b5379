"""The differences between databases: a protocol, which each database keeps in one file."""

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
Words = Callable[[Columns, Rows], dict[str, Any]]  # rows as the parameters of a statement
TYPES: dict[Kind, TypeEngine[Any]] = {"text": Text(), "int": BigInteger(), "float": Double()}


class Batch:
    """Any number of rows that are given to one statement as a relation `v`."""

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
    """The store that was opened was deleted or replaced by another one."""


class Dialect(Protocol):
    name: str
    has_clock: bool  # False if its clock is that of this host
    moving: How

    def engine(self) -> Engine: ...

    def where(self) -> str:
        """Return the place as it is shown to people: a path, or host:port/database."""

    def batch(self, **columns: Kind) -> Batch: ...

    def insert(self, connection: Connection, table: str, columns: Columns, rows: Rows) -> None:
        """Insert many rows at once; only a number may be None."""

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        """Start the transaction; a patient one may take a minute.

        Raises Replaced, once to each thread, if the store is not the one that was opened.
        """

    def has_table(self, connection: Connection, name: str) -> bool:
        """True if a statement without a schema finds a table of this name."""

    def strangers(self, connection: Connection) -> set[str]:
        """Return the names of all tables but those that an unfinished `create` has made."""

    def create(self, connection: Connection) -> None:
        """Create all tables, with the options that only this database has."""

    def lock_schema(self, connection: Connection) -> None:
        """Keep others from migrating, until `unlock_schema` or the end of the session."""

    def unlock_schema(self, connection: Connection) -> None:
        """Let others migrate once this migration is committed."""

    def now(self, connection: Connection) -> int:
        """Return the database's time in microseconds since 1970."""

    def time(self, connection: Connection) -> tuple[int, str]:
        """Return the database's time, rounded down, and a name of the server whose clock it is."""

    def matches(self, column: Any, pattern: str) -> Any:
        """Return the condition that a text matches a shell pattern of * and ?, with its case."""

    def notify(self, connection: Connection) -> None:
        """Wake the watchers, where the database can, when this transaction commits."""

    def watch(self, wake: Wake) -> bool:
        """Call `wake` when a transaction that called `notify` commits; False if it cannot."""

    def problems(self) -> Sequence[str]:
        """Return what is wrong with the place of the store, one line each."""

    def close(self) -> None: ...

    def attempts(self, error: BaseException) -> int:
        """Return how often to run a transaction that the database rolled back for the sake of
        another one; 1 if this error is of another kind."""

    def waited(self, error: BaseException) -> bool:
        """True if a time-out ended the statement; mostly another session holds a lock."""

    def unusable(self, error: BaseException) -> str | None:
        """Return what to correct where waiting does not help; None for all other errors."""


def insertion(table: str, columns: Iterable[str], mark: str, quote: str = '"') -> str:
    """Return an INSERT of one row as the driver takes it."""
    names = [f"{quote}{name}{quote}" for name in columns]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"


def like(pattern: str) -> str:
    """Return the LIKE pattern of a shell pattern of * and ?; its escape character is !."""
    plain = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return plain.replace("*", "%").replace("?", "_")


def literally(limit: int) -> ColumnElement[int]:
    """Return a limit as text: for a parameter the planner would expect a tenth of the table."""
    return literal_column(str(int(limit)), Integer)
