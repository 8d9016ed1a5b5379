"""Create and upgrade the tables of a SQL store.

Each step only adds tables, columns or indexes, so that older programs can still use the store. A
program must know schema version `SERVES` or later to use this schema.
"""

from collections.abc import Sequence
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import DBAPIError

from beatd.errors import ProgramTooOld, StoreAbsent, StoreError, StoreUnusable
from beatd.servers.sql_errors import one_line
from beatd.stores.sql.database import Database
from beatd.stores.sql.dialect import Dialect
from beatd.stores.sql.missing_parts import newest_revision
from beatd.stores.sql.tables import (
    CHANGE_TABLES,
    OUTCOME_TABLES,
    edits,
    entry_source,
    history,
    ledger,
    metadata,
    plan_stopped,
)

LATER_TABLES = (*OUTCOME_TABLES, *CHANGE_TABLES)
FIRST_TABLES = [table for table in metadata.sorted_tables if table not in LATER_TABLES]


def _first(connection: Connection, dialect: Dialect) -> None:
    in_the_way = sorted(dialect.strangers(connection) & set(metadata.tables))
    if in_the_way:
        raise _refused(dialect, in_the_way[0])
    dialect.create(connection, metadata.sorted_tables)
    connection.execute(edits.delete())
    connection.execute(edits.insert().values(id=1, count=0))
    _insert(connection, uuid4(), version=0)


def _refused(dialect: Dialect, table: str) -> StoreUnusable:
    return StoreUnusable(
        f"store {dialect.where()}: the table {table} exists and is not of beatd; "
        "name another database"
    )


def restore(connection: Connection, namespace: UUID) -> None:
    """Insert the one row of the ledger table again, after it was lost.

    The row has the schema version, the UUID for task ids and the number of the leader, which begins
    at 1 again.
    """
    _insert(connection, namespace, version=VERSION)


def _insert(connection: Connection, namespace: UUID, *, version: int) -> None:
    connection.execute(
        ledger.insert().values(
            id=1,
            version=version,
            serves=SERVES,
            namespace=str(namespace),
            term=0,
            token=token_hex(16),
            holder="",
        )
    )


def _second(connection: Connection, _: Dialect) -> None:
    for index in (entry_source, plan_stopped):
        index.create(connection, checkfirst=True)


def _third(connection: Connection, dialect: Dialect) -> None:
    # Tables that exist are kept. Raises StoreUnusable if one of them lacks columns, because another
    # program made it.
    _create_missing(connection, dialect, OUTCOME_TABLES)
    origin = history.c.origin
    if not dialect.has_column(connection, origin):
        kind = origin.type.compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {history.name} ADD COLUMN {origin.name} {kind}")


def _fourth(connection: Connection, dialect: Dialect) -> None:
    # Existing tables are treated as in `_third`.
    _create_missing(connection, dialect, CHANGE_TABLES)


def _create_missing(connection: Connection, dialect: Dialect, tables: Sequence[Table]) -> None:
    # Some are there after an interrupted migration, or after an older program has restored the
    # version of the schema.
    there = [table for table in tables if dialect.has_table(connection, table.name)]
    for table in there:
        if not all(dialect.has_column(connection, column) for column in table.columns):
            raise _refused(dialect, table.name)
    dialect.create(connection, [table for table in tables if table not in there])


STEPS = (_first, _second, _third, _fourth)
VERSION = len(STEPS)
SERVES = 1
TERMS_MAX = 2**62


def migrate(database: Database, *, create: bool = True) -> UUID:
    """Create the tables of a store, or upgrade them to this program's version, and return its UUID.

    Task ids are made from the UUID. Raises StoreUnusable if the schema needs a newer program, or
    another program has a table of the same name. Without `create`, raises StoreAbsent if the
    database has no tables of a store.
    """
    found = database.read(lambda connection: _state(connection, database))
    if found is None and not create:
        database.read(lambda connection: _refuse_absent(connection, database))
    if found is None or found.version < VERSION:
        database.write(lambda connection: _climb(connection, database), patient=True)
        found = database.read(lambda connection: _state(connection, database))
    assert found is not None, "the schema was just made"
    return UUID(found.namespace)


def _refuse_absent(connection: Connection, database: Database) -> None:
    if not database.dialect.has_table(connection, ledger.name):
        raise StoreAbsent(database.where, "the database has no store of beatd yet")


def refuse_newer(where: str, version: int, serves: int) -> None:
    """Raise ProgramTooOld if the schema of a store needs a newer program.

    Raise StoreUnusable if a number is damaged. `serves` is the lowest schema version that a program
    must know; `version` and `where` are for the message.
    """
    for name, value in (("version", version), ("serves", serves)):
        if not isinstance(value, int) or value < 1:  # SQLite keeps any value in any column
            raise _damaged(where, name, value)
    if serves > VERSION:
        raise ProgramTooOld(
            f"{where}: its schema {version} is for programs that know {serves} or later, this one "
            f"knows {VERSION}; upgrade beatd"
        )


def refuse_damaged(where: str, namespace: str, term: int) -> None:
    """Raise StoreUnusable if the UUID of a store or the number of its leader cannot be used."""
    try:
        UUID(namespace)
    except (ValueError, TypeError, AttributeError):
        raise _damaged(where, "namespace", namespace) from None
    if not isinstance(term, int) or not 0 <= term < TERMS_MAX:
        raise _damaged(where, "term", term)


def _damaged(where: str, column: str, value: object) -> StoreUnusable:
    return StoreUnusable(
        f"{where}: its row of {ledger.name} is damaged: {column} is {value!r:.60}; restore the "
        "value from a backup"
    )


def _state(connection: Connection, database: Database) -> Any:
    if not database.dialect.has_table(connection, ledger.name):
        return None
    try:
        # All columns are read: a table of another program lacks some, and that is no error.
        found = connection.execute(text(f"SELECT * FROM {ledger.name} LIMIT 1"))
    except DBAPIError as error:
        cause = error.orig or error
        if not database.dialect.waited(cause):
            raise
        raise StoreError(
            f"{database.where}: the table {ledger.name} cannot be read, another session seems to "
            f"hold a lock on it ({one_line(cause)})"
        ) from error
    if not {"id", "version", "serves", "namespace"} <= set(found.keys()):
        raise StoreUnusable(
            f"{database.where}: the table {ledger.name} exists and is not of beatd; "
            "name another database"
        )
    # The row that has the schema version; None if it was lost.
    row = found.one_or_none()
    if row is not None:
        refuse_newer(database.where, row.version, row.serves)
        refuse_damaged(database.where, row.namespace, getattr(row, "term", 0))
    return row


def _climb(connection: Connection, database: Database) -> None:
    dialect = database.dialect
    dialect.lock_schema(connection)
    found = _state(connection, database)
    version = 0 if found is None else found.version
    lost = found is None and all(dialect.has_table(connection, t.name) for t in FIRST_TABLES)
    if lost:
        # All tables exist, and this one can be read: only its row is missing.
        # A loss is reported by `database.losses` if there were entries.
        restore(connection, uuid4())
        newer = all(dialect.has_table(connection, table.name) for table in LATER_TABLES)
        version = VERSION if newer else 1
        if newest_revision(connection):
            database.losses = [
                f"{database.where}: its row of {ledger.name} was lost: terms begin anew, and the "
                "ids of runs are made in another namespace from here on"
            ]
    # The first step makes the newest schema.
    for step in STEPS[version:] if version else STEPS[:1]:
        step(connection, dialect)
    if version < VERSION:
        connection.execute(ledger.update().values(version=VERSION, serves=SERVES))
    # A failed migration needs no `finally`: its connection is closed, which releases the lock.
    dialect.unlock_schema(connection)
