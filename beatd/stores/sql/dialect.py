"""Define `Dialect`, the protocol for all operations that differ between SQLite, PostgreSQL, MariaDB
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
    """A relation named `v` whose rows are passed as parameters of a SQL statement. `relation` and
    `c` are the relation and its columns. `bind` turns any number of rows into the parameters."""

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
    """Return a DELETE statement for the rows of `table` whose `name` is in the batch.

    The statement is a join, because MariaDB would read the whole table for a subquery. SQLite
    cannot delete with a join, and gets a subquery.
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
        """Insert many rows at once. `columns` maps the name of each column to the kind of its
        cells, in the order of the cells. Only a number may be None."""

    def rewrite(
        self, connection: Connection, table: str, columns: Columns, key: Sequence[str], rows: Rows
    ) -> None:
        """Insert many rows at once, or update the rows that exist already. A row exists if the
        table has a row with the same cells in the columns of `key`. `columns` is as for
        `insert`."""

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        """Start a transaction. If `patient` is True, a statement may take two minutes instead of
        the store's time-out.

        Raises Replaced, once in each thread, if the file of the store is no longer the one that was
        opened.
        """

    def has_table(self, connection: Connection, name: str) -> bool:
        """Return True if a statement without a schema name finds a table of this name, else
        False."""

    def strangers(self, connection: Connection) -> set[str]:
        """Return the names of all tables in the database. Tables that an interrupted `create` made
        are left out."""

    def create(self, connection: Connection, tables: Collection[Table]) -> None:
        """Create these tables of the store, with the options that only this database has. A table
        that an interrupted `create` made is not created again."""

    def has_column(self, connection: Connection, column: Column[Any]) -> bool:
        """Return True if the table of `column` has this column, else False. The table must
        exist."""

    def lock_schema(self, connection: Connection) -> None:
        """Lock the schema, so that no other process can migrate it. The lock lasts until
        `unlock_schema` or the end of the session. Raises an exception if another process does not
        release the lock in time."""

    def unlock_schema(self, connection: Connection) -> None:
        """Commit the migration and release the lock of `lock_schema`. Do nothing if the database
        releases the lock at the end of the transaction."""

    def now(self, connection: Connection) -> int:
        """Return the database's time in microseconds since 1970."""

    def time(self, connection: Connection) -> tuple[int, str]:
        """Return two values: the database's time in microseconds since 1970, rounded down, and the
        name of the server that has this clock."""

    def matches(self, column: Any, pattern: str) -> Any:
        """Return the SQL condition that `column` matches a shell pattern of * and ?. Upper and
        lower case are different."""

    def notify(self, connection: Connection) -> None:
        """Notify the watchers of all processes (see `watch`) when this transaction commits. Do
        nothing if the database cannot notify."""

    def watch(self, wake: Wake) -> bool:
        """Call `wake` whenever a transaction that called `notify` commits, and return True. If the
        database cannot notify, return False and never call `wake`."""

    def problems(self) -> Sequence[str]:
        """Return a line of text for each problem with the disk or the server of the store."""

    def close(self) -> None: ...

    def attempts(self, error: BaseException) -> int:
        """Return how many times, in all, to run a transaction that fails with this error. The
        number is greater than 1 if another transaction caused the error, as in a deadlock, and 1
        for every other error."""

    def waited(self, error: BaseException) -> bool:
        """Return True if the statement failed because of a time-out, else False. The usual cause is
        a lock of another session."""

    def unusable(self, error: BaseException) -> str | None:
        """Return a text that says what the operator must correct. Return None if a later retry may
        succeed."""


def has_column(connection: Connection, column: Column[Any]) -> bool:
    """Return True if the database has this column, else False. SQLAlchemy's `inspect` reads the
    columns."""
    found = inspect(connection).get_columns(column.table.name)
    return column.name in {one["name"] for one in found}


def insertion(table: str, columns: Iterable[str], mark: str, quote: str = '"') -> str:
    """Return an INSERT statement for one row of these columns. `mark` is the driver's placeholder
    for a value, `quote` the character around a column name."""
    names = [f"{quote}{name}{quote}" for name in columns]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"


def on_conflict(columns: Iterable[str], key: Sequence[str]) -> str:
    """Return the clause after an INSERT that updates rows which exist already. `key` names the
    columns that identify a row; all other `columns` are updated."""
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in key)
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}"


def like(pattern: str) -> str:
    """Convert a shell pattern of * and ? to a SQL LIKE pattern with the escape character "!"."""
    plain = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return plain.replace("*", "%").replace("?", "_")


def literally(limit: int) -> ColumnElement[int]:
    """Return `limit` as a literal for a LIMIT clause. With a parameter instead, the planner would
    assume that the statement reads a tenth of the table."""
    return literal_column(str(int(limit)), Integer)
