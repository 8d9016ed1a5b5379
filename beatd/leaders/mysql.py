"""A lease in MariaDB or MySQL: a row by the server's clock, and GET_LOCK of the session as hint."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql

from beatd.errors import StoreError, StoreUnusable
from beatd.leaders.sql_lease import LeaseRow, SqlLease

TABLE = (
    "CREATE TABLE IF NOT EXISTS beatd_lease (name VARCHAR(64) PRIMARY KEY, holder TEXT NOT NULL, "
    "token VARCHAR(128) NOT NULL, hinted BOOLEAN NOT NULL, until BIGINT NOT NULL) "
    "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
)
NOW = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6))"
# Such locks belong to the server; the name sets the databases on it apart.
LOCK = "CONCAT('beatd.', LEFT(SHA1(DATABASE()), 40))"
NEVER_MENDS = frozenset({1044, 1045, 1046, 1049, 1142, 1698})


class Session:
    def __init__(self, url: str, ttl: float) -> None:
        parts = urlsplit(url)
        name = unquote(parts.path.removeprefix("/"))
        self._where = f"lock {parts.hostname or 'localhost'}:{parts.port or 3306}/{name}"
        within = max(1, int(ttl))
        try:
            self._connection = pymysql.connect(
                host=parts.hostname or "localhost",
                port=parts.port or 3306,
                user=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                database=name,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=within,
                read_timeout=within,
                write_timeout=within,
                **tls_of(parts.query),
            )
        except pymysql.Error as error:
            raise self._told(error) from None
        self._run("SET SESSION sql_notes = 0, lock_wait_timeout = %s", (within,))
        self._run(TABLE)
        self.make_row()

    def make_row(self) -> None:
        self._run("INSERT IGNORE INTO beatd_lease VALUES ('leader', '', '', FALSE, 0)")

    def read(self) -> LeaseRow | None:
        found, _ = self._run(
            f"SELECT holder, token, hinted, until, until - {NOW} FROM beatd_lease"
            " WHERE name = 'leader'"
        )
        if found is None:
            return None
        holder, token, hinted, until, left = found
        return LeaseRow(holder, token, bool(hinted), until, left / 1_000_000)

    def write(
        self, seen: LeaseRow, holder: str, token: str, *, hinted: bool, seconds: float
    ) -> bool:
        _, count = self._run(
            f"UPDATE beatd_lease SET holder = %s, token = %s, hinted = %s, until = {NOW} + %s"
            " WHERE name = 'leader' AND token = %s AND until = %s",
            (holder, token, hinted, int(seconds * 1_000_000), seen.token, seen.until),
        )
        return count > 0

    def grasp(self) -> bool:
        found, _ = self._run(f"SELECT GET_LOCK({LOCK}, 0)")
        return bool(found and found[0])

    def let_go(self) -> None:
        self._run(f"DO RELEASE_LOCK({LOCK})")

    def close(self) -> None:
        # Not close(): that speaks to a server which may be gone.
        self._connection._force_close()  # type: ignore[attr-defined]

    def _run(self, statement: str, words: tuple[Any, ...] = ()) -> tuple[Any, int]:
        try:
            with self._connection.cursor() as cursor:
                count = cursor.execute(statement, words)
                return cursor.fetchone(), count
        except (pymysql.Error, OSError) as error:
            raise self._told(error) from None

    def _told(self, error: Exception) -> StoreError:
        code = error.args[0] if error.args else 0
        said = " ".join(str(error.args[1] if len(error.args) > 1 else error).split())[:300]
        return (StoreUnusable if code in NEVER_MENDS else StoreError)(f"{self._where}: {said}")


def tls_of(query: str) -> dict[str, Any]:
    """ssl_ca, ssl_cert, ssl_key and the like, as they may stand in the URL."""
    return {key: value for key, value in parse_qsl(query) if key.startswith("ssl_")}


def mysql_lease(url: str) -> SqlLease:
    return SqlLease(lambda ttl: Session(url, ttl))
