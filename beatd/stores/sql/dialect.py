"""The interface of all operations that differ between SQLite, PostgreSQL, MariaDB and MySQL."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from string import ascii_uppercase
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
    Index,
    Integer,
    Select,
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

LOWER = {ord(letter): letter.lower() for letter in ascii_uppercase}


class Batch:
    """Many rows of values that one SQL statement receives as parameters and reads as a table `v`.

    `relation` is this table and `c` its columns. `bind` turns the rows into the parameters.
    """

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
    """Return a DELETE statement for the rows of `table` whose `name` is one of these names."""
    # MariaDB would read the whole table for a subquery; SQLite cannot delete with a join.
    name = names.c.name
    if dialect.name == "sqlite":
        return delete(table).where(table.c.name.in_(select(name)))
    return delete(table).where(table.c.name == name)


class Replaced(StoreError):
    """Raised when the open SQLite file was deleted or replaced by another file."""


class Dialect(Protocol):
    name: str
    has_clock: bool  # False if its clock is that of this host
    moving: How

    def engine(self) -> Engine: ...

    def where(self) -> str:
        """Return the location of the store for messages: a path, or host:port/database."""

    def batch(self, **columns: Kind) -> Batch: ...

    def insert(self, connection: Connection, table: str, columns: Columns, rows: Rows) -> None:
        """Insert many rows into a table at once.

        `columns` maps each column to the kind of its cells, for example {"name": "text", "due":
        "int"}, in the order of the cells. Only a number may be None.
        """

    def rewrite(
        self, connection: Connection, table: str, columns: Columns, key: Sequence[str], rows: Rows
    ) -> None:
        """Insert many rows into a table at once, or update those that exist already.

        A row exists if a stored row has the same cells in the columns of `key`. `columns` is as for
        `insert`.
        """

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        """Start a transaction, in which the store is written only if `write` is True.

        `patient=True` allows each statement two minutes instead of the store's time-out. Raises
        Replaced, once in each thread, if the store's file is no longer the one that was opened.
        """

    def has_table(self, connection: Connection, name: str) -> bool:
        """Return True if a query for `name`, without a schema, finds a table; else False."""

    def strangers(self, connection: Connection) -> set[str]:
        """Return the names of all tables in the database, to find tables of other programs.

        Tables left by an interrupted `create` are not included.
        """

    def create(self, connection: Connection, tables: Collection[Table]) -> None:
        """Create these tables with the options that this database needs.

        A table that an interrupted `create` made is kept.
        """

    def has_column(self, connection: Connection, column: Column[Any]) -> bool:
        """Return True if the table of `column` has this column in the database, else False.

        The table must exist.
        """

    def lock_schema(self, connection: Connection) -> None:
        """Lock the schema of the database, so that no other process can upgrade it.

        The lock lasts until `unlock_schema` or the end of the session. Raises an exception if
        another process does not release the lock in time.
        """

    def unlock_schema(self, connection: Connection) -> None:
        """Commit the upgrade of the schema and release the lock of `lock_schema`.

        Do nothing if the lock ends with the transaction.
        """

    def now(self, connection: Connection) -> int:
        """Return the database's time in microseconds since 1970."""

    def time(self, connection: Connection) -> tuple[int, str]:
        """Return the database's time in whole microseconds since 1970, and its server's name."""

    def matches(self, column: Any, pattern: str) -> Any:
        """Return the SQL condition that a column matches a shell pattern of * and ?,
        case-sensitively."""

    def contains(self, column: Any, text: str) -> Any:
        """Return the SQL condition that a column contains a text, ignoring the case of letters a to
        z.

        No character is special.
        """

    def notify(self, connection: Connection) -> None:
        """Notify all processes that called `watch` when this transaction commits.

        Do nothing if the database cannot notify.
        """

    def watch(self, wake: Wake) -> bool:
        """Call `wake` after each commit of a transaction, in any process, that called `notify`.

        Return True, or False if the database cannot notify; `wake` is then never called.
        """

    def problems(self) -> Sequence[str]:
        """Return one line of text for each problem with the store's disk or database server."""

    def close(self) -> None: ...

    def attempts(self, error: BaseException) -> int:
        """Return how many times in all to try a transaction that fails with this error.

        1 means no retry; errors such as a deadlock allow more.
        """

    def waited(self, error: BaseException) -> bool:
        """Return True if a statement failed because of a time-out, usually a lock of another
        session."""

    def unusable(self, error: BaseException) -> str | None:
        """Return a text on what an operator must correct after this error, or None if a retry may
        help."""


def has_column(connection: Connection, column: Column[Any]) -> bool:
    """Return True if the table of `column` has this column in the database, else False.

    The table must exist.
    """
    found = inspect(connection).get_columns(column.table.name)
    return column.name in {one["name"] for one in found}


def insertion(table: str, columns: Iterable[str], mark: str, quote: str = '"') -> str:
    """Return an INSERT statement for one row, such as 'INSERT INTO t ("a", "b") VALUES (?, ?)'.

    `mark` is the driver's placeholder for a value.
    """
    names = [f"{quote}{name}{quote}" for name in columns]
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"


def on_conflict(columns: Iterable[str], key: Sequence[str]) -> str:
    """Return the end of an INSERT statement that updates the row if it exists already.

    The columns `key` identify the row; all other `columns` are updated.
    """
    changed = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in key)
    return f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}"


def like(pattern: str) -> str:
    """Convert a shell pattern of * and ? to a SQL LIKE pattern with the escape character "!"."""
    plain = pattern.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return plain.replace("*", "%").replace("?", "_")


def lowered(text: str) -> str:
    """Return the text with its letters from A to Z in lower case; other letters do not change."""
    return text.translate(LOWER)


def by_index(statement: Select[Any], index: Index) -> Select[Any]:
    """Make MariaDB and MySQL use this index for a SELECT; other databases choose an index
    themselves."""
    # With `name = … AND id < …`, MariaDB reads all rows of the name from the newest on.
    assert index.table is not None, "the index has a table"
    return statement.with_hint(index.table, f"FORCE INDEX ({index.name})", "mysql")


def literally(limit: int) -> ColumnElement[int]:
    """Return a limit on rows as a number inside the SQL text instead of a parameter."""
    # For a parameter, the planner assumes that a tenth of the table is read.
    return literal_column(str(int(limit)), Integer)
