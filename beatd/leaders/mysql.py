"""Make one daemon the leader by a row in MariaDB or MySQL that is valid for a limited time.

A second lock (GET_LOCK) belongs to the leader's session: if it is free, the leader is dead.
"""

from typing import Any
from urllib.parse import unquote, urlsplit

import pymysql

from beatd.errors import StoreError, StoreUnusable
from beatd.leaders.sql_lease import LeaseSession, Row, SqlLease
from beatd.servers.mysql import NOW_MICROS, place, timeouts, unusable, url_options, whole_seconds
from beatd.servers.sql_errors import one_line

TABLE = (
    "CREATE TABLE IF NOT EXISTS beatd_lease (name VARCHAR(64) PRIMARY KEY, holder TEXT NOT NULL, "
    "token VARCHAR(128) NOT NULL, hinted BOOLEAN NOT NULL, until BIGINT NOT NULL) "
    "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
)
# Locks of GET_LOCK belong to the whole server; the name holds a hash of the database.
HINT = "CONCAT('beatd.', LEFT(SHA1(DATABASE()), 40))"


class MysqlSession(LeaseSession):
    """A connection to the MySQL or MariaDB database with the leader's lock.

    Each wait ends after `ttl` seconds, when the lock has expired anyway.
    """

    now_micros, mark = NOW_MICROS, "%s"

    def __init__(self, url: str, ttl: float) -> None:
        parts = urlsplit(url)
        name = unquote(parts.path.removeprefix("/"))
        self._where = f"lock {place(parts.hostname, parts.port, name)}"
        try:
            self._connection = pymysql.connect(
                host=parts.hostname,
                port=parts.port or 0,  # the default of the driver, or of a file that the URL names
                user=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                database=name,
                charset="utf8mb4",
                autocommit=True,
                **{**timeouts(ttl), **url_options(parts.query)},
            )
        except (pymysql.Error, OSError) as error:
            raise self._explained(error) from None
        self.run("SET SESSION sql_notes = 0, lock_wait_timeout = %s", (whole_seconds(ttl),))
        self.run(TABLE)
        self.make_row()

    def make_row(self) -> None:
        self.run("INSERT IGNORE INTO beatd_lease VALUES ('leader', '', '', FALSE, 0)")

    def acquire_hint(self) -> bool:
        found, _ = self.run(f"SELECT GET_LOCK({HINT}, 0)")
        return bool(found and found[0])

    def release_hint(self) -> None:
        self.run(f"DO RELEASE_LOCK({HINT})")

    def close(self) -> None:
        # `close()` would speak to a server that may be gone.
        self._connection._force_close()  # type: ignore[attr-defined]

    def run(self, statement: str, values: tuple[Any, ...] = ()) -> tuple[Row | None, int]:
        try:
            with self._connection.cursor() as cursor:
                count = cursor.execute(statement, values)
                return cursor.fetchone(), count
        except (pymysql.Error, OSError) as error:
            raise self._explained(error) from None

    def _explained(self, error: Exception) -> StoreError:
        kind = StoreUnusable if unusable(error) else StoreError
        return kind(f"{self._where}: {one_line(error)}")


def mysql_lease(url: str) -> SqlLease:
    """Return the leader's lock in the MySQL or MariaDB database of the URL, not connected yet."""
    return SqlLease(lambda ttl: MysqlSession(url, ttl))
