"""A lease in PostgreSQL: a row by the server's clock, and a session advisory lock as the hint."""

from collections.abc import Generator
from secrets import token_hex
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from beatd.errors import ConfigError, StoreError, StoreUnusable
from beatd.leaders.sql_lease import LeaseRow, SqlLease
from beatd.servers.postgresql import shared_by, shares_sessions

T = TypeVar("T")
ROW = "INSERT INTO beatd_lease VALUES ('leader', '', '', false, 0) ON CONFLICT DO NOTHING"
# Sent as one, it is one transaction. IF NOT EXISTS alone fails where two make it in one instant.
CREATE = (
    "SELECT pg_advisory_xact_lock(1650549108, hashtext('made in ' || current_schema()));"
    "CREATE TABLE IF NOT EXISTS beatd_lease (name text PRIMARY KEY, holder text NOT NULL, "
    "token text NOT NULL, hinted boolean NOT NULL, until bigint NOT NULL);"
    f"{ROW}"
)
NOW = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
# Advisory locks belong to a database; the schema sets installations in one database apart.
KEY = "1650549108, hashtext(current_schema())"  # "beat"
NEVER_MENDS = ("password", "pg_hba.conf", "does not exist", "permission denied")


class PostgresqlSession(psycopg.Connection[Any]):
    """Gives up on a server that went silent; an answer later than the ttl is of no use."""

    patience = 10.0

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        return super().wait(self._until(gen, monotonic() + self.patience), *args, **kwargs)

    def _until(self, gen: Generator[Any, Any, T], deadline: float) -> Generator[Any, Any, T]:
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and monotonic() > deadline:
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the server does not answer")
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


class Session:
    def __init__(self, conninfo: str, ttl: float, *, shared: bool | None = None) -> None:
        words = conninfo_to_dict(conninfo)
        host, port = words.get("host") or "local socket", words.get("port") or 5432
        self._where = f"lock {host}:{port}/{words.get('dbname') or ''}"
        within = max(1, int(ttl * 1000))
        try:
            self._connection = PostgresqlSession.connect(
                conninfo,
                autocommit=True,
                connect_timeout=max(2, int(ttl)),
                application_name="beatd lease",
                # Behind a transaction pooler a prepared statement is on some other connection.
                prepare_threshold=None,
            )
        except (psycopg.Error, OSError) as error:
            raise self._told(error) from None
        self._connection.patience = ttl
        try:
            self._prepare(within, shared)
        except BaseException:
            self.close()
            raise

    def _prepare(self, within: int, shared: bool | None) -> None:
        try:
            pooled = shares_sessions(self._connection) if shared is None else shared
        except (psycopg.Error, OSError) as error:
            raise self._told(error) from None
        if not pooled:
            self._run(f"SET statement_timeout = {within}")
        if self._run("SELECT to_regclass('beatd_lease')")[0] is None:
            self._run(CREATE)
        self._mark = token_hex(8)
        self._pooled = pooled or bool(self._run("SELECT current_setting('beatd.lease', true)")[0])
        if not pooled:
            self._run("SELECT set_config('beatd.lease', %s, false)", (self._mark,))

    def make_row(self) -> None:
        self._run(ROW)

    def read(self) -> LeaseRow | None:
        found = self._run(
            f"SELECT holder, token, hinted, until, until - {NOW} FROM beatd_lease"
            " WHERE name = 'leader'"
        )
        if found is None:
            return None
        holder, token, hinted, until, left = found
        return LeaseRow(holder, token, hinted, until, left / 1_000_000)

    def write(
        self, seen: LeaseRow, holder: str, token: str, *, hinted: bool, seconds: float
    ) -> bool:
        return bool(
            self._run(
                "WITH done AS (UPDATE beatd_lease SET holder = %s, token = %s, hinted = %s,"
                f" until = {NOW} + %s WHERE name = 'leader' AND token = %s AND until = %s"
                " RETURNING 1) SELECT count(*) FROM done",
                (holder, token, hinted, int(seconds * 1_000_000), seen.token, seen.until),
            )[0]
        )

    def grasp(self) -> bool:
        # Behind a transaction pooler sessions are shared, and holding the lock proves nothing: the
        # mark of another on a new connection, or the loss of one's own, tells that.
        if self._pooled:
            return False
        mark, got = self._run(
            f"SELECT current_setting('beatd.lease', true), pg_try_advisory_lock({KEY})"
        )
        if mark != self._mark:
            self._pooled = True
            if got:
                self.let_go()
            return False
        return bool(got)

    def let_go(self) -> None:
        self._run(f"SELECT pg_advisory_unlock({KEY})")

    def close(self) -> None:
        self._connection.close()

    def _run(self, statement: str, words: tuple[Any, ...] | None = None) -> Any:
        try:
            cursor = self._connection.execute(statement, words)
            return cursor.fetchone() if cursor.description else None
        except (psycopg.Error, OSError) as error:
            raise self._told(error) from None

    def _told(self, error: psycopg.Error | OSError) -> StoreError:
        said = " ".join(str(error).split())[:300]
        kind = StoreUnusable if any(sign in said for sign in NEVER_MENDS) else StoreError
        return kind(f"{self._where}: {said}")


def postgresql_lease(url: str) -> SqlLease:
    # `?pooler=transaction` is ours to know, not the driver's.
    parts = urlsplit("postgresql:" + url.split(":", 1)[1])
    words = parse_qsl(parts.query)
    shared = shared_by(dict(words).get("pooler"), "lock.url")
    query = urlencode([word for word in words if word[0] != "pooler"], quote_via=quote)
    conninfo = urlunsplit(parts._replace(query=query))
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        said = " ".join(str(error).split())
        if parts.password and parts.password in said:
            said = "its password cannot be read; a % in it is written %25"
        raise ConfigError(f"lock.url: {said}") from None
    return SqlLease(lambda ttl: Session(conninfo, ttl, shared=shared))
