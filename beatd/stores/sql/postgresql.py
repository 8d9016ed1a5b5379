"""The operations that are special to PostgreSQL, with the driver psycopg.

Batches of rows are passed as arrays, and session settings limit every wait.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import json
from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    Table,
    bindparam,
    collate,
    create_engine,
    event,
    false,
    func,
    inspect,
    literal_column,
    text,
)

from beatd.catalog import Wake
from beatd.errors import ConfigError
from beatd.servers.postgresql import (
    ADVISORY_LOCK,
    KEEPALIVES,
    NOW_MICROS,
    PostgresqlConnection,
    connect_options,
    is_pooled,
    place,
    pooled_by,
    unusable,
)
from beatd.stores.sql.dialect import Batch, Columns, How, Kind, Rows, like, lowered, on_conflict
from beatd.stores.sql.notices import CHANNEL, Notices
from beatd.stores.sql.tables import (
    delivery,
    delivery_live,
    metadata,
    plan,
    plan_due,
    plan_stopped,
)

ARRAYS: dict[Kind, str] = {"text": "text[]", "int": "bigint[]", "float": "double precision[]"}
PATIENCE_S = 120.0
# How often a transaction is run: serialization failure, deadlock, lock not available in time.
ATTEMPTS = {"40001": 8, "40P01": 8, "55P03": 2}
ENDED_BY_TIMEOUT = ("55P03", "57014")  # lock_timeout, statement_timeout
# Claims rewrite the same narrow rows all day long: autovacuum starts after a number of dead rows,
# not after a share of the table, and is not slowed down. Lookups by key need no fresh statistics.
NARROW = (
    "SET (autovacuum_vacuum_scale_factor = 0, "
    "autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0, "
    "autovacuum_analyze_scale_factor = 0.2, fillfactor = 70)"
)
TUNING: Mapping[str, Sequence[str]] = {
    "beatd_plan": (NARROW,),
    "beatd_claim": (
        "SET (autovacuum_vacuum_scale_factor = 0, "
        "autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0)",
        "ALTER COLUMN runs SET STORAGE EXTERNAL",
    ),
    "beatd_running": (NARROW,),
    "beatd_entry_outcome": (NARROW,),
}

# With partial indexes a claim writes one index row; stopped entries cost the others nothing.
plan_due.dialect_options["postgresql"]["where"] = plan.c.due.is_not(None)
plan_stopped.dialect_options["postgresql"]["where"] = plan.c.active == literal_column("0")
delivery_live.dialect_options["postgresql"]["where"] = delivery.c.live_since.is_not(None)


def array_literals(columns: Columns, rows: Rows) -> dict[str, Any]:
    """Return the parameters that pass rows to PostgreSQL, one array for each column.

    For example, a column `name` with two cells becomes {"v_name": '{"a","b"}'}.
    """
    # Not by the driver, which would look at each cell several times.
    cells_of = zip(*rows, strict=True) if rows else ((),) * len(columns)
    return {
        f"v_{name}": texts(cells) if kind == "text" else numbers(cells)
        for (name, kind), cells in zip(columns.items(), cells_of, strict=True)
    }


def texts(cells: Sequence[str]) -> str:
    """Encode texts as a PostgreSQL array, such as '{"a","b"}'.

    Raises ConfigError if a text contains a NUL character.
    """
    if not cells:
        return "{}"
    joined = "\0".join(cells)
    if joined.count("\0") >= len(cells):
        raise ConfigError("a text with a NUL character in it: PostgreSQL keeps none; take it out")
    quoted = joined.replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
    return '{"' + quoted + '"}'


def numbers(cells: Sequence[int | float | None]) -> str:
    """Encode numbers as a PostgreSQL array, such as "{1,null}" for [1, None]."""
    return "{" + json.encode(cells).decode()[1:-1] + "}"


class Postgresql:
    name = "postgresql"
    has_clock = True
    moving: How = "returning"

    def __init__(self, url: URL, timeout: float) -> None:
        self._stated = pooled_by(url.query.get("pooler"), "store.url")
        self._pooled = False  # True if the newest connection goes through a pooler
        words = url.difference_update_query(["pooler"])
        self._url = words.set(drivername="postgresql+psycopg")
        self._timeout = timeout
        self._notices: Notices | None = None

    def where(self) -> str:
        return place(self._url.host, self._url.port, self._url.database)

    def engine(self) -> Engine:
        engine = create_engine(
            self._url,
            pool_size=4,
            max_overflow=12,
            pool_timeout=PATIENCE_S,
            pool_reset_on_return=None,
            connect_args={**connect_options("beatd", self._timeout), **KEEPALIVES},
        )
        event.listen(engine, "do_connect", _connect)
        event.listen(engine, "connect", self._set_up)
        return engine

    def _set_up(self, connection: Any, _record: object) -> None:
        connection.patience_s = self._timeout + 1.0
        connection.autocommit = True
        self._pooled = connection.pooled = is_pooled(connection, self._stated)
        if self._pooled:
            connection.prepare_threshold = None
        else:
            connection.execute(self._settings("SET"))
        connection.autocommit = False

    def _settings(self, how: str) -> str:
        within = int(self._timeout * 1000)
        return "; ".join(
            f"{how} {setting}"
            for setting in (
                f"statement_timeout = {within}",
                f"lock_timeout = {within}",
                f"idle_in_transaction_session_timeout = {within}",
                "timezone = 'UTC'",
                "default_transaction_isolation = 'read committed'",
                # With these, each batch looks up its rows by name, in the order of names: two
                # batches never wait for rows of each other, and a plan made for few entries is
                # right for a million, whatever the statistics say.
                "plan_cache_mode = force_generic_plan",
                "enable_hashjoin = off",
                "enable_mergejoin = off",
                "enable_seqscan = off",
                "enable_bitmapscan = off",
                "max_parallel_workers_per_gather = 0",
                "jit = off",
            )
        )

    def batch(self, **columns: Kind) -> Batch:
        arrays = ", ".join(f"CAST(:v_{name} AS {ARRAYS[kind]})" for name, kind in columns.items())
        names = ", ".join(f'"{name}"' for name in columns)
        relation = f"SELECT {names} FROM unnest({arrays}) AS t({names})"
        return Batch(relation, columns, array_literals)

    def insert(
        self, connection: Connection, table: str, columns: Columns, rows: Rows, then: str = ""
    ) -> None:
        arrays = ", ".join(f"%(v_{name})s::{ARRAYS[kind]}" for name, kind in columns.items())
        names = ", ".join(f'"{name}"' for name in columns)
        statement = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}){then}"
        connection.exec_driver_sql(statement, array_literals(columns, rows))

    def rewrite(
        self, connection: Connection, table: str, columns: Columns, key: Sequence[str], rows: Rows
    ) -> None:
        self.insert(connection, table, columns, rows, then=on_conflict(columns, key))

    def begin(self, connection: Connection, *, write: bool, patient: bool) -> None:
        driver: Any = connection.connection.driver_connection
        driver.patience_s = PATIENCE_S if patient else self._timeout + 1.0
        # At this isolation level each statement sees what is committed when it begins, with BEGIN
        # and COMMIT or without; without them a read saves two round trips.
        driver.autocommit = not (write or patient or driver.pooled)
        if driver.pooled:
            connection.exec_driver_sql(self._settings("SET LOCAL"))
        if patient:
            within = int(PATIENCE_S * 1000)
            connection.exec_driver_sql(
                f"SELECT set_config(name, '{within}', true) FROM "
                "unnest('{statement_timeout,lock_timeout}'::text[]) AS t(name)"
            )

    def has_table(self, connection: Connection, name: str) -> bool:
        # `inspect` makes SQLAlchemy keep the dialect of each engine for ever, and to_regclass may
        # miss a table that was created while this transaction waited for a lock.
        find = "SELECT 1 FROM pg_class WHERE relname = :name AND pg_table_is_visible(oid)"
        return bool(connection.scalar(text(find), {"name": name}))

    def strangers(self, connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names())

    def create(self, connection: Connection, tables: Collection[Table]) -> None:
        metadata.create_all(connection, list(tables), checkfirst=False)
        for table in tables:
            for change in TUNING.get(table.name, ()):
                connection.execute(text(f"ALTER TABLE {table.name} {change}"))

    def has_column(self, connection: Connection, column: Column[Any]) -> bool:
        find = (
            "SELECT 1 FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relname = :table AND attname = :name AND pg_table_is_visible(attrelid)"
        )
        named = {"table": column.table.name, "name": column.name}
        return bool(connection.scalar(text(find), named))

    def lock_schema(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})

    def unlock_schema(self, connection: Connection) -> None:
        """Do nothing, because PostgreSQL releases the lock at the end of the transaction."""

    def now(self, connection: Connection) -> int:
        return int(connection.exec_driver_sql(f"SELECT {NOW_MICROS}").scalar() or 0)

    def time(self, connection: Connection) -> tuple[int, str]:
        # The moment of its start identifies the server; the address may be that of a proxy.
        server = "CAST(pg_postmaster_start_time() AS text)"
        micros, started = connection.exec_driver_sql(f"SELECT {NOW_MICROS}, {server}").one()
        return int(micros), str(started)

    def matches(self, column: Any, pattern: str) -> Any:
        # The pattern is written into the statement, so that the planner can estimate how many rows
        # match; without it, it expects very few and sorts the whole table for each page.
        literal: Any = bindparam("pattern", like(pattern), unique=True, literal_execute=True)
        return column.like(literal, escape="!")

    def contains(self, column: Any, text: str) -> Any:
        if "\0" in text:
            return false()  # no text in PostgreSQL has one
        # By the rules of the language C, `lower` changes a to z only.
        return func.strpos(func.lower(collate(column, "C")), lowered(text)) > 0

    def notify(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_notify('{CHANNEL}', current_schema())")

    def watch(self, wake: Wake) -> bool:
        if not self._pooled:
            _, options = self._url.get_dialect()().create_connect_args(self._url)
            self._notices = Notices({**options, **KEEPALIVES}, wake)
        return not self._pooled

    def problems(self) -> Sequence[str]:
        return ()

    def close(self) -> None:
        if self._notices is not None:
            self._notices.stop()

    def attempts(self, error: BaseException) -> int:
        return ATTEMPTS.get(getattr(error, "sqlstate", None) or "", 1)

    def waited(self, error: BaseException) -> bool:
        return getattr(error, "sqlstate", None) in ENDED_BY_TIMEOUT

    def unusable(self, error: BaseException) -> str | None:
        return unusable(error)


def _connect(_dialect: Any, _record: Any, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    return PostgresqlConnection.connect(*args, **named)
