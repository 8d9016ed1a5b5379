"""Create SQLite files safely, and detect that one was replaced."""

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import NamedTuple

from beatd.errors import StoreUnusable

NOW_MICROS = "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER) * 1000"
NOT_MENDED_BY_WAITING = (
    ("file is not a database", "is not a SQLite database; name another file"),
    ("readonly database", "is read-only; make it writable for this user"),
    ("unable to open database", "cannot be opened; check that this user may write there"),
    ("malformed", "is damaged; restore a copy of it"),
)
WAL_TRIES, WAL_PAUSE_S = 200, 0.01


class Identity(NamedTuple):
    """The identity of a database file, which shows whether the file was replaced.

    It is the file's device, its inode, and the inode of its write-ahead log (0 if there is none).
    """

    device: int
    inode: int
    log: int


def unusable(error: BaseException) -> str | None:
    """Return advice on an error that no retry can correct, such as a read-only file.

    None for any other error.
    """
    text = str(error)
    return next((line for sign, line in NOT_MENDED_BY_WAITING if sign in text), None)


def create_file(path: Path, what: str, *, hint: str = "") -> None:
    """Create a file that only its owner can use, with mode 0600, unless the file exists.

    Raises StoreUnusable if this user cannot work with the file. The error text begins with `what`,
    the purpose of the file. It ends with `hint` if other permissions would help.
    """
    try:
        if path.is_dir():
            raise StoreUnusable(f"{what} {path}: is a directory; name a file in it")
        if not path.parent.is_dir():
            raise StoreUnusable(
                f"{what} {path}: there is no directory {path.parent}; make it first"
            )
        create_private(path)
        if not is_plain_file(path):
            raise StoreUnusable(f"{what} {path}: is not a regular file; name another")
        if not os.access(path, os.W_OK):
            raise StoreUnusable(
                f"{what} {path}: is read-only; make it writable for this user{hint}"
            )
    except OSError as error:
        reason = error.strerror or "cannot be opened"
        raise StoreUnusable(
            f"{what} {path}: {reason}; name a file this user may write{hint}"
        ) from error


def create_private(path: Path) -> None:
    """Create a file that only its owner can use, with mode 0600, unless the file exists.

    SQLite gives its log files the same mode. An existing file is never opened, because closing it
    would drop every POSIX lock that this process has on it. Raises OSError.
    """
    flags = os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with suppress(FileExistsError):
        os.close(os.open(path, flags, 0o600))


def is_plain_file(path: Path) -> bool:
    """Return True if the path is a regular file or a link to one.

    Raises OSError if there is no file.
    """
    return stat.S_ISREG(path.stat().st_mode)


def keep_every_commit(cursor: sqlite3.Cursor) -> None:
    """Make a new connection write each commit to the disk before the commit returns.

    The database gets a write-ahead log.
    """
    # Setting the mode, even to what it is, needs the whole file for itself: read it first.
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous = FULL")


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    # Another process may do the same at this time. Raises OperationalError after the last try.
    for attempt in range(WAL_TRIES):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if attempt == WAL_TRIES - 1:
                raise
            sleep(WAL_PAUSE_S)


def identity(path: Path) -> Identity | None:
    """Return the identity of the file at the path, or None if there is no file.

    The file is never opened, because closing it would drop the locks that this process has on it.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    try:
        log = path.with_name(path.name + "-wal").stat().st_ino
    except FileNotFoundError:
        log = 0
    return Identity(found.st_dev, found.st_ino, log)


def is_another(was: Identity | None, found: Identity | None) -> bool:
    """Return True if a database file or its write-ahead log was deleted or replaced.

    `was` is the identity at an earlier reading, `found` at a later one. A log that did not exist
    before was not replaced: the first write of any process creates it.
    """
    if was is None or found is None:
        return was != found
    same_file = (was.device, was.inode) == (found.device, found.inode)
    return not same_file or was.log not in (0, found.log)
