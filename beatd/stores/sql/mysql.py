"""The operations that are special to MariaDB and MySQL, with the driver PyMySQL.

Batches of rows are passed as JSON, and names are compared byte by byte.
"""

from collections.abc import Collection, Sequence
from typing import Any

import pymysql
from msgspec import json
from sqlalchemy import URL, Column, Connection, Engine, Table, create_engine, event, inspect, text
from sqlalchemy.schema import CreateTable

from beatd.catalog import Wake
from beatd.errors import StoreError
from beatd.servers.mysql import (
    NOW_MICROS,
    code,
    is_mariadb,
    place,
    timeouts,
    unusable,
    whole_seconds,
)
from beatd.stores.sql.dialect import Batch, Columns, How, Kind, Rows, as_json, has_column, like
from beatd.stores.sql.tables import ledger

KINDS: dict[Kind, str] = {
    "text": "LONGTEXT CHARACTER SET utf8mb4",
    "int": "BIGINT",
    "float": "DOUBLE",
}
MIGRATING = "beatd_schema"
PATIENCE_S = 120.0
MADE_BY = "beatd"
# How often a transaction is run: deadlock, row changed since its read, lock not available in time.
ATTEMPTS = {1213: 8, 1020: 8, 1205: 2}
ENDED_BY_TIMEOUT = (1205, 1969, 3024)  # lock_wait_timeout, max_statement_time, max_execution_time


class Mysql:
    name = "mysql"
    has_clock = True
    moving: How = "locked"

    def __init__(self, url: URL, timeout: float) -> None:
        self._url = url.set(drivername="mysql+pymysql").update_query_dict({"charset": "utf8mb4"})
        self._timeout = timeout

    def where(self) -> str:
        return place(self._url.host, self._url.port, self._url.database)

    def engine(self) -> Engine:
        engine = create_engine(
            self._url,
            module=pymysql,
            pool_size=4,
            max_overflow=12,
            pool_timeout=PATIENCE_S,
            pool_reset_on_return=None,
            pool_use_lifo=True,
            isolation_level="READ COMMITTED",
            connect_args=timeouts(self._timeout, reply_grace_s=1),
        )
        event.listen(engine, "connect", self._set_up)
        return engine

    def _set_up(self, connection: Any, _record: object) -> None:
        seconds = whole_seconds(self._timeout)
        with connection.cursor() as cursor:
            cursor.execute(
                "SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = %s, "
                "lock_wait_timeout = %s, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
                (seconds, seconds),
            )
            # In MySQL the locks of a frozen program end only with its session, by wait_timeout; it
            # also ends idle connections, so the pool hands out the one that was used last.
            idle = "idle_transaction" if is_mariadb(connection.server_version) else "wait"
            cursor.execute(f"SET SESSION {idle}_timeout = %s", (seconds,))
        connection.patience = None
        self._limit(connection, self._timeout)

    def _limit(self, connection: Any, seconds: float) -> None:
        if connection.patience != seconds:
            connection.patience = seconds
            connection._read_timeout = seconds + 1
            with connection.cursor() as cursor:
                if is_mariadb(connection.server_version):
                    cursor.execute("SET SESSION max_statement_time = %s", (seconds,))
                else:
                    cursor.execute("SET SESSION max_execution_time = %s", (int(seconds * 1000),))

    def batch(self, **columns: Kind) -> Batch:
        names = ", ".join(f"`{name}`" for name in columns)
        return Batch(f"SELECT {names} FROM {json_table(':v', columns)}", columns, as_json)

    def insert(self, connection: Connection, table: str, columns: Columns, rows: Rows) -> None:
        # All rows are one text: PyMySQL would escape each cell in Python.
        names = ", ".join(f"`{name}`" for name in columns)
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM {json_table('%s', columns)}",
            (json.encode(rows).decode(),),
        )

    def rewrite(
        self, connection: Connection, table: str, columns: Columns, key: Sequence[str], rows: Rows
    ) -> None:
        # An update of a join with the rows would take three times as long.
        names = ", ".join(f"`{name}`" for name in columns)
        changed = ", ".join(f"{table}.`{name}` = t.`{name}`" for name in columns if name not in key)
        connection.exec_driver_sql(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM {json_table('%s', columns)}"
            f" ON DUPLICATE KEY UPDATE {changed}",
            (json.encode(rows).decode(),),
        )

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        self._limit(
            connection.connection.driver_connection, PATIENCE_S if patient else self._timeout
        )

    def has_table(self, connection: Connection, name: str) -> bool:
        return inspect(connection).has_table(name)

    def strangers(self, connection: Connection) -> set[str]:
        # Each CREATE commits at once here: a start that was killed may leave some of our tables.
        found = connection.execute(
            text(
                "SELECT table_name FROM information_schema.tables "
                "WHERE table_schema = DATABASE() AND table_comment <> :mark"
            ),
            {"mark": MADE_BY},
        )
        return set(found.scalars())

    def create(self, connection: Connection, tables: Collection[Table]) -> None:
        version = str(connection.scalar(text("SELECT VERSION()")))
        # These collations neither pad nor fold: 'a', 'a ', 'A' and 'ä' are four names.
        collation = "utf8mb4_nopad_bin" if is_mariadb(version) else "utf8mb4_0900_bin"
        options = f" ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE={collation} COMMENT='{MADE_BY}'"
        # The ledger is created last: the schema is complete when it exists.
        for table in sorted(tables, key=lambda t: (t is ledger, t.name)):
            create = str(CreateTable(table, if_not_exists=True).compile(dialect=connection.dialect))
            columns = create.rstrip().removesuffix(")")
            indexes = "".join(
                f", {'UNIQUE' if index.unique else ''} INDEX {index.name} "
                f"({', '.join(f'`{c.name}`' for c in index.columns)})"
                for index in table.indexes
            )
            connection.exec_driver_sql(f"{columns}{indexes}){options}")

    def has_column(self, connection: Connection, column: Column[Any]) -> bool:
        return has_column(connection, column)

    def lock_schema(self, connection: Connection) -> None:
        name = self._lock_name(connection)
        if not connection.scalar(text("SELECT GET_LOCK(:name, 60)"), {"name": name}):
            raise StoreError(f"store {self.where()}: another program is migrating it; try again")

    def unlock_schema(self, connection: Connection) -> None:
        # The next process that gets the lock must see the whole schema.
        connection.exec_driver_sql("COMMIT")
        name = self._lock_name(connection)
        connection.execute(text("DO RELEASE_LOCK(:name)"), {"name": name})

    def _lock_name(self, connection: Connection) -> str:
        # Such a lock belongs to the server; the name of the database sets ours apart.
        return f"{MIGRATING}.{self._url.database}"[:64]

    def now(self, connection: Connection) -> int:
        return int(connection.exec_driver_sql(f"SELECT {NOW_MICROS}").scalar() or 0)

    def time(self, connection: Connection) -> tuple[int, str]:
        micros, host = connection.exec_driver_sql(f"SELECT {NOW_MICROS}, @@hostname").one()
        return int(micros), str(host)

    def matches(self, column: Any, pattern: str) -> Any:
        return column.like(like(pattern), escape="!")

    def contains(self, column: Any, text: str) -> Any:
        # LOWER would change all letters, such as Ä; the columns are compared with regard to case.
        return column.regexp_match("".join(map(_matching, text)))

    def notify(self, connection: Connection) -> None:
        """Do nothing, because MariaDB and MySQL cannot notify other processes."""

    def watch(self, wake: Wake) -> bool:
        return False

    def problems(self) -> Sequence[str]:
        return ()

    def close(self) -> None: ...

    def attempts(self, error: BaseException) -> int:
        return ATTEMPTS.get(code(error), 1)

    def waited(self, error: BaseException) -> bool:
        return code(error) in ENDED_BY_TIMEOUT

    def unusable(self, error: BaseException) -> str | None:
        return unusable(error)


def json_table(given: str, columns: Columns) -> str:
    """Return a SQL expression that reads a JSON array as a table `t` with these columns.

    `given` is the SQL expression of the array, for example a parameter.
    """
    cells = ", ".join(
        f"`{name}` {KINDS[kind]} PATH '$[{place}]'"
        for place, (name, kind) in enumerate(columns.items())
    )
    return f"JSON_TABLE({given}, '$[*]' COLUMNS ({cells})) AS t"


def _matching(letter: str) -> str:
    if not letter.isascii() or letter.isdigit():
        return letter
    if letter.isalpha():
        return f"[{letter.lower()}{letter.upper()}]"
    return f"\\x{ord(letter):02x}"
