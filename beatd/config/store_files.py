"""Suggest the URL of a store to a user who named only its file."""

from contextlib import suppress
from pathlib import Path

SQLITE_HEADER = b"SQLite format 3\0"
SHELF_TABLE = b"CREATE TABLE Dict"  # the only table of a shelf, named in the file's first page
PAGE_MAX_BYTES = 65_536
SUFFIXES = (".db", ".sqlite", ".sqlite3")


def url_of_store_file(path: str, folder: Path) -> str | None:
    """Return the URL of the store in this file: `sqlite:///beatd.db` for `beatd.db`.

    Return None if the file does not exist, cannot be read or has neither a SQLite database nor a
    shelf in it. A relative path is below `folder`.
    """
    with suppress(OSError, ValueError), (folder / path).open("rb") as file:
        page = file.read(PAGE_MAX_BYTES)
        if page.startswith(SQLITE_HEADER):
            return f"{'shelve:' if SHELF_TABLE in page else 'sqlite:///'}{path}"
    return None


def url_of_new_file(path: str) -> str | None:
    """Return `sqlite:///beatd.db` for `beatd.db`, or None if `path` does not end like a
    database."""
    return f"sqlite:///{path}" if ":" not in path and path.endswith(SUFFIXES) else None
