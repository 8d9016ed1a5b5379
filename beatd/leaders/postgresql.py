"""Make one daemon the leader by a row in PostgreSQL that is valid for a limited time.

A second, advisory lock belongs to the leader's session: if it is free, the leader is dead.
"""

from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from beatd.errors import ConfigError, StoreError, StoreUnusable
from beatd.leaders.sql_lease import LeaseSession, Row, SqlLease
from beatd.servers.postgresql import (
    ADVISORY_LOCK,
    CONNECTION_ERRORS,
    NOW_MICROS,
    PostgresqlConnection,
    connect_options,
    is_pooled,
    place,
    pooled_by,
    unusable,
)
from beatd.servers.sql_errors import one_line

ROW = "INSERT INTO beatd_lease VALUES ('leader', '', '', false, 0) ON CONFLICT DO NOTHING"
# The statements are sent as one, and so they are one transaction. Without the lock, two sessions
# that create the table in one instant fail, in spite of IF NOT EXISTS.
CREATE = (
    f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK}, hashtext('made in ' || current_schema()));"
    "CREATE TABLE IF NOT EXISTS beatd_lease (name text PRIMARY KEY, holder text NOT NULL, "
    "token text NOT NULL, hinted boolean NOT NULL, until bigint NOT NULL);"
    f"{ROW}"
)
# Advisory locks belong to a database; the schema sets installations in one database apart.
HINT = f"{ADVISORY_LOCK}, hashtext(current_schema())"


class PostgresqlSession(LeaseSession):
    """A connection to the PostgreSQL database with the leader's lock.

    Each wait ends after `ttl` seconds, when the lock has expired anyway.
    """

    now_micros, mark = NOW_MICROS, "%s"

    def __init__(self, conninfo: str, ttl: float, *, pooled: bool | None = None) -> None:
        words = conninfo_to_dict(conninfo)
        self._where = f"lock {place(words.get('host'), words.get('port'), words.get('dbname'))}"
        try:
            self._connection = PostgresqlConnection.connect(
                conninfo,
                autocommit=True,
                # Behind a transaction pooler a prepared statement is on some other connection.
                prepare_threshold=None,
                **connect_options("beatd lease", ttl),
            )
        except CONNECTION_ERRORS as error:
            raise self._explained(error) from None
        self._connection.patience_s = ttl
        try:
            self._set_up(ttl, pooled)
        except BaseException:
            self.close()
            raise

    def _set_up(self, ttl: float, stated: bool | None) -> None:
        try:
            # `stated` is what the URL says, or None. A shared session gets neither limit nor
            # mark.
            pooled = is_pooled(self._connection, stated)
        except CONNECTION_ERRORS as error:
            raise self._explained(error) from None
        if not pooled:
            self.run(f"SET statement_timeout = {max(1, int(ttl * 1000))}")
        if self._value("SELECT to_regclass('beatd_lease')") is None:
            self.run(CREATE)
        # The mark shows later whether a pooler shares the session with other clients.
        self._mark = token_hex(8)
        self._pooled = pooled or bool(self._value("SELECT current_setting('beatd.lease', true)"))
        if not pooled:
            self.run("SELECT set_config('beatd.lease', %s, false)", (self._mark,))

    def make_row(self) -> None:
        self.run(ROW)

    def acquire_hint(self) -> bool:
        """Try to get the lock that PostgreSQL frees when the leader's session ends.

        Return True on success, else False. Always return False if a pooler shares the session with
        other clients, because the lock then proves nothing.
        """
        if self._pooled:
            return False
        found, _ = self.run(
            f"SELECT current_setting('beatd.lease', true), pg_try_advisory_lock({HINT})"
        )
        mark, got = found or (None, False)
        # A shared session has lost our mark, or another client's mark is in it.
        if mark != self._mark:
            self._pooled = True
            if got:
                self.release_hint()
            return False
        return bool(got)

    def release_hint(self) -> None:
        self.run(f"SELECT pg_advisory_unlock({HINT})")

    def close(self) -> None:
        self._connection.close()

    def run(self, statement: str, values: tuple[Any, ...] = ()) -> tuple[Row | None, int]:
        try:
            # Without values, several statements may be sent as one.
            cursor = self._connection.execute(statement, values or None)
            return cursor.fetchone() if cursor.description else None, cursor.rowcount
        except CONNECTION_ERRORS as error:
            raise self._explained(error) from None

    def _value(self, statement: str) -> Any:
        found, _ = self.run(statement)
        return found[0] if found else None

    def _explained(self, error: psycopg.Error | OSError) -> StoreError:
        kind = StoreUnusable if unusable(error) else StoreError
        return kind(f"{self._where}: {one_line(error)}")


def postgresql_lease(url: str) -> SqlLease:
    """Return the leader's lock in the PostgreSQL database of the URL, not connected yet.

    Raises ConfigError for an invalid URL or an unknown value of its option `pooler`.
    """
    # `?pooler=transaction` is an option of ours, which the driver does not know.
    parts = urlsplit("postgresql:" + url.split(":", 1)[1])
    words = parse_qsl(parts.query)
    pooled = pooled_by(dict(words).get("pooler"), "lock.url")
    query = urlencode([word for word in words if word[0] != "pooler"], quote_via=quote)
    conninfo = urlunsplit(parts._replace(query=query))
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError as error:
        text = one_line(error)
        if parts.password and parts.password in text:
            text = "its password cannot be read; a % in it is written %25"
        raise ConfigError(f"lock.url: {text}") from None
    return SqlLease(lambda ttl: PostgresqlSession(conninfo, ttl, pooled=pooled))
