"""Make one daemon the leader by a row in a SQLite file that is valid for a limited time.

A takeover always waits for the end of that time, as nothing shows that the leader is dead. On one
host, `file:PATH` is the better lock: the kernel frees it as soon as its holder dies.
"""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from beatd.errors import StoreError, StoreUnusable
from beatd.leaders.sql_lease import LeaseSession, Row, SqlLease
from beatd.servers.sqlite import NOW_MICROS, create_file, unusable

TABLE = (
    "CREATE TABLE IF NOT EXISTS beatd_lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, "
    "token TEXT NOT NULL, hinted INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID"
)


class SqliteSession(LeaseSession):
    """A connection to the SQLite file with the leader's lock.

    A wait for another writer ends after half of `ttl` seconds.
    """

    now_micros, mark = NOW_MICROS, "?"

    def __init__(self, path: Path, ttl: float) -> None:
        self._path = path
        create_file(path, "lock")
        self._connection = sqlite3.connect(
            path, timeout=ttl / 2, isolation_level=None, check_same_thread=False
        )
        self.run(TABLE)
        self.make_row()

    def make_row(self) -> None:
        self.run("INSERT OR IGNORE INTO beatd_lease VALUES ('leader', '', '', 0, 0)")

    def acquire_hint(self) -> bool:
        """Return False: SQLite has no lock that is freed when a session ends."""
        return False

    def release_hint(self) -> None: ...

    def close(self) -> None:
        self._connection.close()

    def run(self, statement: str, values: tuple[Any, ...] = ()) -> tuple[Row | None, int]:
        try:
            cursor = self._connection.execute(statement, values)
            return cursor.fetchone(), cursor.rowcount
        except sqlite3.Error as error:
            kind = StoreUnusable if unusable(error) else StoreError
            raise kind(f"lock {self._path}: {error}") from None


def sqlite_lease(url: str) -> SqlLease:
    """Return the leader's lock in the SQLite file that the URL names.

    Its first use creates the file.
    """
    path = Path(unquote(urlsplit(url).path.removeprefix("/")))
    return SqlLease(lambda ttl: SqliteSession(path, ttl))
