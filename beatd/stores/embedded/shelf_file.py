"""Open the SQLite file of a store, run transactions in it, and notice if the file is replaced."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

from beatd.errors import StoreError, StoreUnusable
from beatd.servers import sqlite
from beatd.stores.embedded.shelf_layout import LAYOUT, Dict, PlainShelf
from beatd.stores.file_errors import said_clearly

TRY_S = 0.01
PATIENCE_S = 5.0  # a call takes milliseconds, so a holder that needs more is frozen


class ShelfFile:
    """A connection to the SQLite file of a store, for one thread at a time."""

    def __init__(self, path: Path) -> None:
        with said_clearly(path):
            self.path = path.resolve()
            if self.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "", str(path))
        self._connection: sqlite3.Connection | None = None
        self._left_behind: list[sqlite3.Connection] = []
        self._identity: sqlite.Identity | None = None
        self._process = os.getpid()

    def is_open(self) -> bool:
        """Return True if this process has opened the file that is now at the path.

        Return False before `open`, in a forked child, and after the file was replaced.
        """
        if self._connection is None:
            return False
        if self._process != os.getpid():
            # The connection is the parent's: to close it here would harm the parent's locks.
            self._left_behind.append(self._connection)
            self._connection = None
            return False
        found = self._there()
        if sqlite.is_another(self._identity, found):
            return False
        self._identity = found
        return True

    @property
    def was_open(self) -> bool:
        """Return True if this process has the file open, even if it was replaced by another file
        since."""
        return self._connection is not None

    def open(self) -> None:
        """Open the file, and create it if it is missing; close an open connection first.

        Raise StoreError if another process locks the file, and StoreUnusable if it is not a store.
        """
        self.close()
        self._process = os.getpid()
        with said_clearly(self.path):
            sqlite.create_private(self.path)
            if not sqlite.is_plain_file(self.path):
                raise StoreUnusable(f"store.url: {self.path} is not a plain file; name another")
        with self._said_clearly():
            connection = sqlite3.connect(
                self.path, timeout=TRY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._check_layout(connection)
                sqlite.keep_every_commit(connection.cursor())
                connection.execute(LAYOUT)
            except BaseException:
                connection.close()
                raise
        self._connection = connection
        self._identity = self._there()

    def _check_layout(self, connection: sqlite3.Connection) -> None:
        try:
            found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            others = sorted({name for (name,) in found} - {"Dict"})
        except UnicodeDecodeError:
            raise StoreUnusable(
                f"store.url: {self.path} is damaged; restore a copy of it"
            ) from None
        if others:
            raise StoreUnusable(
                f"store.url: {self.path} is no shelf: it holds the table {others[0]!r}; name "
                f"another file, or use sqlite:///{self.path} if it is a store of beatd"
            )

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[PlainShelf]:
        """Yield the store's data inside a transaction, which is committed to disk at the end.

        If the block raises, nothing is written. Raise StoreError if another process locks the file
        for 5 seconds.
        """
        connection = self._connection
        assert connection is not None, "opened before it is used"
        with self._said_clearly():
            self._begin(connection, "BEGIN IMMEDIATE" if write else "BEGIN")
        try:
            with self._said_clearly():
                yield PlainShelf(Dict(connection))
                connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    def _begin(self, connection: sqlite3.Connection, how: str) -> None:
        # Retries for about 5 seconds while the file is locked, then raises
        # sqlite3.OperationalError. The pauses are short and equal: SQLite's own grow longer, so a
        # writer among many could wait forever.
        began = monotonic()
        while True:
            try:
                connection.execute(how)
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or monotonic() - began > PATIENCE_S:
                    raise

    def data_version(self) -> int:
        """Return a number that changes whenever another connection writes to the file."""
        assert self._connection is not None, "opened before it is used"
        with self._said_clearly():
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _there(self) -> sqlite.Identity | None:
        with said_clearly(self.path):
            return sqlite.identity(self.path)

    @contextmanager
    def _said_clearly(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if "file is not a database" in str(error):
                raise StoreUnusable(
                    f"store.url: {self.path} is no shelf of beatd and was left alone; name another "
                    "file, or take its entries over with `beatd import`"
                ) from error
            hopeless = sqlite.unusable(error)
            if hopeless:
                raise StoreUnusable(f"store.url: {self.path} {hopeless}") from error
            raise StoreError(self._in_words(error)) from error

    def _in_words(self, error: sqlite3.Error) -> str:
        if "locked" in str(error):
            return (
                f"another process has held {self.path} for {PATIENCE_S:g} s; "
                f"`fuser {self.path}` says which"
            )
        if "full" in str(error) or "disk I/O error" in str(error):
            return f"no space left for {self.path}, or its disk fails; nothing was changed"
        return f"{self.path}: {' '.join(str(error).split())[:200]}"  # it may quote a damaged key

    def close(self) -> None:
        if self._connection is not None and self._process == os.getpid():
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None
