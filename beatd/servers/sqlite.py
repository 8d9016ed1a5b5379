"""SQLite files: made private, opened with every commit on the disk, and known again."""

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import NamedTuple

NOT_MENDED_BY_WAITING = (
    ("file is not a database", "is not a SQLite database; name another file"),
    ("readonly database", "is read-only; make it writable for this user"),
    ("unable to open database", "cannot be opened; check that this user may write there"),
    ("malformed", "is damaged; restore a copy of it"),
)
WAL_TRIES, WAL_PAUSE_S = 200, 0.01


class Identity(NamedTuple):
    """Which file lies at a path, its write-ahead log included (0: there is none yet)."""

    device: int
    inode: int
    log: int


def unusable(error: BaseException) -> str | None:
    """What is wrong with the file, where waiting will not mend it; else None."""
    said = str(error)
    return next((line for sign, line in NOT_MENDED_BY_WAITING if sign in said), None)


def create_private(path: Path) -> None:
    """Make the file with mode 0600 unless there is one. Raises OSError.

    SQLite gives its log files the mode of the database, so this is enough. A file that is there is
    never opened: to close it again would drop every POSIX lock that this process has on it.
    """
    flags = os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with suppress(FileExistsError):
        os.close(os.open(path, flags, 0o600))


def is_plain_file(path: Path) -> bool:
    return stat.S_ISREG(path.stat().st_mode)


def keep_every_commit(cursor: sqlite3.Cursor) -> None:
    """Set a new connection so that a commit is on the disk before it is acknowledged."""
    # Asking first: setting it, even to what it is, needs the whole file for itself.
    if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous = FULL")


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """The one change that does not wait for others by itself, at the first start of several."""
    for attempt in range(WAL_TRIES):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if attempt == WAL_TRIES - 1:
                raise
            sleep(WAL_PAUSE_S)


def identity(path: Path) -> Identity | None:
    """What lies at the path, or None where there is nothing.

    Never by opening it: to close it again would drop this process's locks on it.
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
    """True if the file, or its log, was deleted or replaced since. A log that was not there yet is
    made by the first write of anybody."""
    if was is None or found is None:
        return was != found
    same_file = (was.device, was.inode) == (found.device, found.inode)
    return not same_file or was.log not in (0, found.log)
