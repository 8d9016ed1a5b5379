"""Define the protocol of a database: all operations that differ between SQLite, PostgreSQL, MariaDB
and MySQL."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import json
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Delete,
    Double,
    Engine,
    Integer,
    Subquery,
    Table,
    Text,
    delete,
    inspect,
    literal_column,
    select,
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
    """A relation named `v` for use in a statement; its rows are passed as parameters, and may be
    any number. `relation` and `c` are the relation and its columns; `bind` turns rows into the
    parameters."""

    def __init__(self, select: str, columns: Columns, words: Words) -> None:
        typed = {name: TYPES[kind] for name, kind in columns.items()}
        self.relation: Subquery = text(select).columns(**typed).subquery("v")
        self.c = self.relation.c
        self._columns, self._words = columns, words

    def bind(self, rows: Rows) -> dict[str, Any]:
        return self._words(self._columns, rows)


def as_json(_: Columns, rows: Rows) -> dict[str, Any]:
    return {"v": json.encode(rows).decode()}


def deletion(dialect: "Dialect", table: Table, names: Batch) -> Delete:
    """Return the DELETE of the rows of a table whose `name` is in the batch.

    It is a join where there is one: for a subquery, MariaDB reads the whole table, and the batch
    for each of its rows. SQLite deletes from no join.
    """
    name = names.c.name
    if dialect.name == "sqlite":
        return delete(table).where(table.c.name.in_(select(name)))
    return delete(table).where(table.c.name == name)


class Replaced(StoreError):
    """Raised when the file of the open store was deleted or replaced by another file."""


class Dialect(Protocol):
    name: str
    has_clock: bool  # False if its clock is that of this host
    moving: How

    def engine(self) -> Engine: ...

    def where(self) -> str:
        """Return the place of the store for messages: a path, or host:port/database."""

    def batch(self, **columns: Kind) -> Batch: ...

    def insert(self, connection: Connection, table: str, columns: Columns, rows: Rows) -> None:
        """Insert many rows at once. `columns` gives the names and kinds of the cells, in their
        order. Only a number may be None."""

    def rewrite(
        self, connection: Connection, table: str, columns: Columns, key: Sequence[str], rows: Rows
    ) -> None:
        """Insert many rows at once as `insert` does; a row that the table has already (with the
        same cells in the columns of its `key`) is updated instead."""

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        """Start a transaction. If `patient` is True, a statement may take two minutes instead of
        the store's time-out.

        Raises Replaced, once in each thread, if the file of the store is no longer the one that was
        opened.
        """

    def has_table(self, connection: Connection, name: str) -> bool:
        """Return True if a table of this name exists where a statement without a schema name looks
        for it."""

    def strangers(self, connection: Connection) -> set[str]:
        """Return the names of all tables in the database, except the tables that an interrupted
        `create` left."""

    def create(self, connection: Connection, tables: Collection[Table]) -> None:
        """Create these tables of the store, with the options that only this database has. A table
        that an interrupted `create` left is kept."""

    def has_column(self, connection: Connection, column: Column[Any]) -> bool:
        """Return True if the table of this column, which exists, has the column."""

    def lock_schema(self, connection: Connection) -> None:
        """Take a lock that keeps other processes from migrating the schema. It lasts until
        `unlock_schema` or the end of the session."""

    def unlock_schema(self, connection: Connection) -> None:
        """Release the lock of `lock_schema`, after the migration of this connection is
        committed."""

    def now(self, connection: Connection) -> int:
        """Return the database's time in microseconds since 1970."""

    def time(self, connection: Connection) -> tuple[int, str]:
        """Return (time of the database in microseconds since 1970, name of the server whose clock
        it is). The time is rounded down."""

    def matches(self, column: Any, pattern: str) -> Any:
        """Return the SQL condition that a column matches a shell pattern of * and ?; case
        matters."""

    def notify(self, connection: Connection) -> None:
        """Notify the watchers of all processes when this transaction commits, if the database can
        do so."""

    def watch(self, wake: Wake) -> bool:
        """Call `wake` whenever a transaction that called `notify` commits. Return False, and never
        call `wake`, if the database cannot notify."""

    def problems(self) -> Sequence[str]:
        """Return a line for each problem of the disk or server of the store."""

    def close(self) -> None: ...

    def attempts(self, error: BaseException) -> int:
        """Return how many times, in all, a transaction that failed with this error may be tried.
        The number is greater than 1 if the database rolled the transaction back because of another
        transaction, and 1 for every other error."""

    def waited(self, error: BaseException) -> bool:
        """Return True if the statement failed because of a time-out, which mostly means that
        another session holds a lock."""

    def unusable(self, error: BaseException) -> str | None:
        """Return a text that names what the operator must correct, if trying again later cannot
        help; None for all other errors."""


def has_column(connection: Connection, column: Column[Any]) -> bool:
    """Return True if the database has this column, as SQLAlchemy finds out."""
    found = inspect(connection).get_columns(column.table.name)
    return column.name in {one["name"] for one in found}


def insertion(table: str, columns: Iterable[str], mark: str, quote: str = '"') -> str:
    """Return an INSERT statement for one row of these columns. `mark` is the driver's placeholder
    for a value, `quote` the character around a column name."""
    names = [f"{quote}{name}{quote}" for name in columns]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"


def on_conflict(columns: Iterable[str], key: Sequence[str]) -> str:
    """Return the clause after an INSERT that updates the rows which the table has already."""
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in key)
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}"


def like(pattern: str) -> str:
    """Convert a shell pattern of * and ? to a SQL LIKE pattern with the escape character "!"."""
    plain = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return plain.replace("*", "%").replace("?", "_")


def literally(limit: int) -> ColumnElement[int]:
    """Return a LIMIT value as a literal of the statement instead of a parameter. With a parameter,
    the planner would assume that a tenth of the table is read."""
    return literal_column(str(int(limit)), Integer)
