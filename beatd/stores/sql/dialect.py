"""What differs between databases; each keeps all of it in one file."""

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
How = Literal["told", "each", "locked"]  # see moving.py
Columns = Mapping[str, Kind]
Rows = Sequence[Sequence[Any]]
Words = Callable[[Columns, Rows], dict[str, Any]]  # rows as the parameters of a statement
TYPES: dict[Kind, TypeEngine[Any]] = {"text": Text(), "int": BigInteger(), "float": Double()}


class Batch:
    """Many rows given to one statement as a relation `v`, whatever their number."""

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
    """Another store, or none, lies where the one lay that was opened."""


class Dialect(Protocol):
    name: str
    has_clock: bool  # one of its own, not this host's
    moving: How

    def engine(self) -> Engine: ...

    def where(self) -> str:
        """The place for people: a path, or host:port/database; never the password."""

    def batch(self, **columns: Kind) -> Batch: ...

    def insert(self, connection: Connection, table: str, columns: Columns, rows: Rows) -> None:
        """Many rows at once; no cell is None but of a number."""

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        """Start the transaction; a patient one may take a minute. Raises Replaced, once to each
        thread, where the place is not the one that was opened."""

    def has_table(self, connection: Connection, name: str) -> bool:
        """Whether a table of this name is there, as a statement without a schema finds it."""

    def strangers(self, connection: Connection) -> set[str]:
        """Tables that are there and that no unfinished `create` has made."""

    def create(self, connection: Connection) -> None:
        """Create all tables, with what only this database knows to ask for."""

    def lock_schema(self, connection: Connection) -> None:
        """One migration at a time, until `unlock_schema` or the end of the session."""

    def unlock_schema(self, connection: Connection) -> None:
        """Free once all of it is committed."""

    def now(self, connection: Connection) -> int:
        """The database's clock, in microseconds."""

    def time(self, connection: Connection) -> tuple[int, str]:
        """The same, rounded down, and the name of the server whose clock it is."""

    def matches(self, column: Any, pattern: str) -> Any:
        """Whether a text matches a shell pattern of * and ?, by case."""

    def notify(self, connection: Connection) -> None:
        """Tell the watchers, if there can be any, once this transaction commits."""

    def watch(self, wake: Wake) -> bool:
        """Call `wake` whenever a transaction that notified has committed; False if it cannot."""

    def problems(self) -> Sequence[str]:
        """What is wrong with the place, as far as it can be seen from here."""

    def close(self) -> None: ...

    def attempts(self, error: BaseException) -> int:
        """How often a transaction is worth running that the database undid for another's sake;
        1 for what it did not undo."""

    def waited(self, error: BaseException) -> bool:
        """True if a statement was given up after a wait, most often for another session's lock."""

    def unusable(self, error: BaseException) -> str | None:
        """The one line for an error that waiting does not cure; None for all others."""


def insertion(table: str, columns: Iterable[str], mark: str, quote: str = '"') -> str:
    """An INSERT of one row as the driver takes it."""
    names = [f"{quote}{name}{quote}" for name in columns]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"


def like(pattern: str) -> str:
    """A shell pattern of * and ? as LIKE has it, with ! to escape."""
    plain = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return plain.replace("*", "%").replace("?", "_")


def literally(limit: int) -> ColumnElement[int]:
    """A limit the planner can see: for one it cannot, it expects a tenth of the table."""
    return literal_column(str(int(limit)), Integer)
