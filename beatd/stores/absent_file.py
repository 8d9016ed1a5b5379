"""Refuse a store URL whose file does not exist, because opening it would create an empty store."""

import sqlite3
from contextlib import closing
from pathlib import Path

from beatd.errors import StoreAbsent

LEDGER = "beatd_ledger"  # a table of every SQL store


def refuse_absent_file(url: str) -> None:
    """Raise StoreAbsent if the file of a shelve: or sqlite: URL does not exist or has no store in
    it.

    An empty file and a SQLite database without beatd's tables have no store. Other URLs pass, and
    so do files that cannot be read: the store itself reports what is wrong with them.
    """
    scheme, _, rest = url.partition(":")
    if scheme == "shelve":
        path = Path(rest)
    elif scheme.split("+")[0] == "sqlite":
        path = Path(rest.removeprefix("///").partition("?")[0])
    else:
        return
    try:
        if not path.exists() and not Path(f"{path}.copy").exists():  # an old shelf has two files
            raise StoreAbsent(f"store {path}", "there is no such file yet")
        if not path.is_file():
            return
        tables = _tables_in(path)
    except (OSError, sqlite3.Error):
        return
    if not tables or (scheme != "shelve" and LEDGER not in tables):
        raise StoreAbsent(f"store {path}", "the file has no store of beatd yet")


def _tables_in(path: Path) -> set[str]:
    # "rw" creates no file, and removes the write-ahead log at the end, which "ro" would leave.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
    with closing(connection):
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in found}
