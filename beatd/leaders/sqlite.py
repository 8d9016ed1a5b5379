"""A lease in a SQLite file, by this host's clock; there is no hint, takeovers wait for the ttl.

`file:PATH` is the better lock on one host: the kernel frees it in the instant its holder dies.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from beatd.errors import StoreError, StoreUnusable
from beatd.leaders.sql_lease import LeaseRow, SqlLease

TABLE = (
    "CREATE TABLE IF NOT EXISTS beatd_lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, "
    "token TEXT NOT NULL, hinted INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID"
)
NOW = "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER) * 1000"


class SqliteSession:
    def __init__(self, path: Path, ttl: float) -> None:
        self._path = path
        try:
            if not path.parent.is_dir():
                raise StoreUnusable(
                    f"lock {path}: there is no directory {path.parent}; make it first"
                )
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            reason = error.strerror or "cannot be opened"
            raise StoreUnusable(f"lock {path}: {reason}; name a file this user may write") from None
        self._connection = sqlite3.connect(
            path, timeout=ttl / 2, isolation_level=None, check_same_thread=False
        )
        self._run(TABLE)
        self.make_row()

    def make_row(self) -> None:
        self._run("INSERT OR IGNORE INTO beatd_lease VALUES ('leader', '', '', 0, 0)")

    def read(self) -> LeaseRow | None:
        found = self._run(
            f"SELECT holder, token, hinted, until, until - {NOW} FROM beatd_lease"
            " WHERE name = 'leader'"
        ).fetchone()
        if found is None:
            return None
        holder, token, hinted, until, left = found
        return LeaseRow(holder, token, bool(hinted), until, left / 1_000_000)

    def write(
        self, seen: LeaseRow, holder: str, token: str, *, hinted: bool, seconds: float
    ) -> bool:
        found = self._run(
            f"UPDATE beatd_lease SET holder = ?, token = ?, hinted = ?, until = {NOW} + ?"
            " WHERE name = 'leader' AND token = ? AND until = ?",
            (holder, token, hinted, int(seconds * 1_000_000), seen.token, seen.until),
        )
        return bool(found.rowcount)

    def grasp(self) -> bool:
        return False

    def let_go(self) -> None: ...

    def close(self) -> None:
        self._connection.close()

    def _run(self, statement: str, words: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, words)
        except sqlite3.Error as error:
            kind = StoreUnusable if "not a database" in str(error) else StoreError
            raise kind(f"lock {self._path}: {error}") from None


def sqlite_lease(url: str) -> SqlLease:
    path = Path(unquote(urlsplit(url).path.removeprefix("/")))
    return SqlLease(lambda ttl: SqliteSession(path, ttl))
