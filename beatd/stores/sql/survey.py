"""Read facts about a database that is used as store, without changing it.

What this user may do is tried in a transaction that is rolled back.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from sqlalchemy import Connection, false, text
from sqlalchemy.exc import DBAPIError

from beatd.clock import Clock
from beatd.errors import StoreError
from beatd.run import moment_of
from beatd.stores.sql.database import Database
from beatd.stores.sql.migrations import VERSION
from beatd.stores.sql.tables import ledger, metadata
from beatd.stores.sql.url import dialect_of
from beatd.stores.store_facts import StoreFacts, host_ahead_s

TRIED_TABLE = "beatd_doctor"
NO_SUCH_TABLE = 1146  # MariaDB's number for a table that does not exist
SHOWN: Mapping[str, Sequence[str]] = {
    "postgresql": (
        "fsync",
        "full_page_writes",
        "synchronous_commit",
        "default_transaction_read_only",
    ),
    "mysql": (
        "innodb_flush_log_at_trx_commit",
        "innodb_doublewrite",
        "read_only",
        "default_storage_engine",
    ),
    "sqlite": (),
}
VERSION_QUERY = {
    "postgresql": "SHOW server_version",
    "mysql": "SELECT VERSION()",
    "sqlite": "SELECT sqlite_version()",
}


class _RolledBack(Exception):
    """Ends a transaction that only tries whether its statements are allowed."""


def survey(url: str, *, timeout: float, clock: Clock) -> StoreFacts:
    """Return facts about the database at this URL and the store in it.

    Raises StoreError if the database does not answer.
    """
    database = Database(dialect_of(url, timeout))
    try:
        return _survey(database, clock)
    finally:
        database.close()


def _survey(database: Database, clock: Clock) -> StoreFacts:
    dialect = database.dialect

    def read(connection: Connection) -> tuple[str, dict[str, str], bool]:
        version = str(connection.scalar(text(VERSION_QUERY[dialect.name])))
        settings = _settings(connection, dialect.name)
        return version, settings, dialect.has_table(connection, ledger.name)

    def ahead(connection: Connection) -> float | None:
        if not dialect.has_clock:
            return None
        return host_ahead_s(clock, lambda: moment_of(dialect.now(connection)))

    version, settings, there = database.read(read)
    schema = database.read(_schema) if there else None
    is_newest = schema is not None and schema >= VERSION
    refusal = _refusal(database, _write_all if is_newest else _create)
    return StoreFacts(
        kind=dialect.name,
        place=dialect.where(),
        version=version,
        exists=there,
        schema=schema,
        newest_schema=VERSION,
        refusal=refusal,
        settings=settings,
        host_ahead_s=database.read(ahead),
    )


def _settings(connection: Connection, kind: str) -> dict[str, str]:
    if kind == "sqlite":
        return {}
    if kind == "postgresql":
        found = {name: str(connection.scalar(text(f"SHOW {name}"))) for name in SHOWN[kind]}
        found["in_recovery"] = str(connection.scalar(text("SELECT pg_is_in_recovery()")))
        return found
    names = ", ".join(f"'{name}'" for name in SHOWN[kind])
    rows = connection.execute(text(f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})"))
    return {str(name): str(value) for name, value in rows}


def _schema(connection: Connection) -> int | None:
    """Return the version of the tables, or None if its row or its column was lost."""
    found = connection.execute(text(f"SELECT * FROM {ledger.name} LIMIT 1")).mappings().first()
    return None if found is None or "version" not in found else int(found["version"])


def _refusal(database: Database, work: Callable[[Connection, str], None]) -> str:
    def try_and_roll_back(connection: Connection) -> None:
        work(connection, database.dialect.name)
        raise _RolledBack

    try:
        with suppress(_RolledBack):
            database.write(try_and_roll_back)
    except StoreError as error:
        return str(error)
    return ""


def _create(connection: Connection, kind: str) -> None:
    if kind != "mysql":
        connection.execute(text(f"CREATE TABLE {TRIED_TABLE} (id integer)"))
        return
    # MariaDB commits a new table at once. It checks whether the user may create one before it
    # looks for the table to be copied, which does not exist.
    try:
        connection.execute(text(f"CREATE TABLE {TRIED_TABLE} LIKE {TRIED_TABLE}_of_nothing"))
    except DBAPIError as error:
        if getattr(error.orig, "args", (0,))[0] != NO_SUCH_TABLE:
            raise


def _write_all(connection: Connection, _: str) -> None:
    # Statements that find no row; the database checks the user's rights all the same.
    for table in metadata.sorted_tables:
        column = next(iter(table.columns))
        nothing = table.select().where(false())
        connection.execute(table.insert().from_select(list(table.columns), nothing))
        connection.execute(table.update().where(false()).values({column.name: column}))
        connection.execute(table.delete().where(false()))
