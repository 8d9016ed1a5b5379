"""Read and write the SQLite file of a store as a dictionary of text keys and pickled plain data.

Python's own `shelve.open`, from version 3.13 on, can open the file, too.
"""

import sqlite3
from collections.abc import Iterator, MutableMapping
from io import BytesIO
from pathlib import Path
from pickle import Unpickler, UnpicklingError, dumps
from shelve import Shelf
from typing import Any
from zlib import crc32

from beatd.errors import StoreUnusable

LAYOUT = "CREATE TABLE IF NOT EXISTS Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)"
FORMAT = {"beatd": "shelf", "format": 2}  # 1 was a file of JSON lines
CHANGES_MAX = 10**12
PICKLE_PROTOCOL = 4  # the newest one that every Python since 3.4 reads and writes
#: Behind a pickle, before the 4 bytes of its checksum. Python does not read what follows a pickle.
CHECKSUM = b"\0crc"
CHECKSUM_BYTES = len(CHECKSUM) + 4


class Dict(MutableMapping[bytes, bytes]):
    """A dictionary of bytes that is stored in a table of a SQLite file.

    A new value for an old key does not change the order.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getitem__(self, key: bytes) -> bytes:
        rows = self._connection.execute("SELECT value FROM Dict WHERE key = ?", (key,)).fetchall()
        if not rows:
            raise KeyError(key)
        return _blob(rows[0][0])

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._connection.execute(
            "INSERT INTO Dict (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def __delitem__(self, key: bytes) -> None:
        if not self._connection.execute("DELETE FROM Dict WHERE key = ?", (key,)).rowcount:
            raise KeyError(key)

    def __iter__(self) -> Iterator[bytes]:
        for (key,) in self._connection.execute("SELECT key FROM Dict ORDER BY rowid"):
            yield key

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM Dict").fetchone()[0])

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield all (key, value) pairs, in the order in which the keys were first written."""
        for key, value in self._connection.execute("SELECT key, value FROM Dict ORDER BY rowid"):
            yield _blob(key), _blob(value)


def _blob(value: Any) -> bytes:
    # SQLite keeps any value in any column, and another program may have written it; b"" is damage.
    return value if isinstance(value, bytes) else b""


class PlainShelf(Shelf[Any]):
    """A `shelve.Shelf` that accepts only plain data: dict, list, str, bytes, numbers, bool and
    None."""

    def __init__(self, rows: Dict) -> None:
        super().__init__(rows)
        self._rows = rows

    def __setitem__(self, key: str, value: Any) -> None:
        pickled = dumps(value, PICKLE_PROTOCOL)
        self._rows[key.encode()] = pickled + CHECKSUM + crc32(pickled).to_bytes(4)

    def __getitem__(self, key: str) -> Any:
        """Return the value of a key. Raise KeyError if the key is missing.

        Raise UnpicklingError if the value is damaged or not plain data.
        """
        return plain(self._rows[key.encode()])

    def pickled(self, key: str) -> bytes:
        """Return the pickle of a key's value, not decoded. Raise KeyError if the key is missing."""
        return self._rows[key.encode()]

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield each key with the pickle of its value, not decoded."""
        return self._rows.rows()


def check_format(path: Path, shelf: PlainShelf) -> None:
    """Raise StoreUnusable if the shelf is damaged, of another program or of a newer beatd."""
    try:
        found = shelf.get("format")
    except UnpicklingError:
        raise StoreUnusable(
            f"store.url: {path} is damaged: its key format cannot be read; restore a copy of it"
        ) from None
    if found == FORMAT:
        return
    if isinstance(found, dict) and found.get("beatd") == "shelf":
        raise StoreUnusable(f"store.url: {path} was written by a newer beatd; update this one")
    if len(shelf):
        raise StoreUnusable(
            f"store.url: {path} is a shelf of another program and was left alone; "
            "name another file, or take its entries over with `beatd import`"
        )


def newest_change(shelf: PlainShelf) -> int:
    """Return the number of the newest change, or 0 if there is none or the number is damaged."""
    try:
        newest = shelf.get("changes", 0)
    except UnpicklingError:
        return 0
    return newest if isinstance(newest, int) and 0 <= newest < CHANGES_MAX else 0


def plain(pickled: bytes) -> Any:
    """Decode a pickle of plain data; raise UnpicklingError if it is damaged or names a class or
    function.

    An older beatd and other programs write no checksum.
    """
    has_checksum = pickled[-CHECKSUM_BYTES:-4] == CHECKSUM
    if has_checksum and crc32(pickled[:-CHECKSUM_BYTES]) != int.from_bytes(pickled[-4:]):
        raise UnpicklingError("its checksum is another one")
    try:
        return PlainUnpickler(BytesIO(pickled)).load()
    except UnpicklingError:
        raise
    except Exception as damage:  # pickle raises nearly anything for what is not a pickle
        raise UnpicklingError(f"{type(damage).__name__}: {damage}") from None


class PlainUnpickler(Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        raise UnpicklingError(f"it names {module_name}.{global_name}, and only plain data is read")
