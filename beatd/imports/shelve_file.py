"""Read the raw keys and values of a file of Python's `shelve`, without writing to the file."""

import ast
import dbm
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from beatd.errors import BeatError, ConfigError
from beatd.imports.pickled import MAX_PICKLE_BYTES

WANTED = (b"entries", b"__version__", b"tz", b"utc_enabled")
_SQLITE = b"SQLite format 3\x00"
DBM_ERRORS: tuple[type[Exception], ...] = (OSError, sqlite3.Error, *dbm.error)
MAX_FILE_BYTES = 2**40  # a place behind it is in no file of celery beat
_SUFFIXES = (".db", ".dat", ".dir", ".bak", ".pag")


def raw_values(path: Path) -> dict[bytes, bytes]:
    """Return the values in celery beat's schedule file by key, as pickles.

    The file may have a suffix such as .db. Raises ConfigError if there is no such file or it is no
    schedule file, and BeatError if it cannot be read.
    """
    if not _is_there(path):
        raise ConfigError(f"{path}: there is no such file (nor {path.name}.db or {path.name}.dat)")
    try:
        return _reader(path)(path)
    except DBM_ERRORS as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BeatError(f"{path}: cannot be read: {reason}") from None


def _is_there(path: Path) -> bool:
    return path.exists() or any(Path(f"{path}{suffix}").exists() for suffix in _SUFFIXES)


def _reader(path: Path) -> Callable[[Path], dict[bytes, bytes]]:
    for place in (path, Path(f"{path}.db")):
        with suppress(OSError), place.open("rb") as file:
            if file.read(16) == _SQLITE:
                return lambda _: _from_sqlite(place)
    kind = dbm.whichdb(str(path))
    if kind == "dbm.dumb":
        return _from_dumb
    if kind in ("dbm.gnu", "dbm.ndbm"):
        return lambda _: _from_module(path, kind)
    if not kind and path.is_file():
        raise ConfigError(f"{path}: there is no celery beat schedule in it")
    raise ConfigError(
        f"{path}: written by {kind or 'a dbm'} that this Python has not; convert it with the "
        "Python that ran celery beat"
    )


def _from_sqlite(path: Path) -> dict[bytes, bytes]:
    # Python 3.13's dbm.sqlite3, which older ones do not have.
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT key, value FROM Dict")
        found = {_bytes(key): _bytes(value) for key, value in rows}
    return {key: found[key] for key in WANTED if key in found}


def _from_module(path: Path, kind: str) -> dict[bytes, bytes]:
    try:
        module: Any = import_module(kind)
    except ImportError:
        raise ConfigError(
            f"{path}: written by {kind}, which this Python was built without; convert it with the "
            "Python that ran celery beat"
        ) from None
    # u: without gdbm's lock, so that a running celery beat is neither waited for nor stopped.
    flags = "ru" if kind == "dbm.gnu" else "r"
    name = str(path)
    if kind == "dbm.ndbm":
        name = name.removesuffix(".db")
    with closing(module.open(name, flags)) as file:
        return {key: file[key] for key in WANTED if key in file}


def _from_dumb(path: Path) -> dict[bytes, bytes]:
    # Read here and not by dbm.dumb, which would make missing files.
    places: dict[bytes, tuple[int, int]] = {}
    for line in Path(f"{path}.dir").read_text("latin1").splitlines():
        if line.strip():
            try:
                key, at = ast.literal_eval(line)
                start, size = int(at[0]), int(at[1])
                if not 0 <= start < MAX_FILE_BYTES or not 0 <= size <= MAX_PICKLE_BYTES:
                    raise ValueError(at)
                places[key.encode("latin1")] = (start, size)
            except (
                ValueError,
                SyntaxError,
                TypeError,
                AttributeError,
                LookupError,
                ArithmeticError,
                MemoryError,
                RecursionError,
            ):
                raise ConfigError(f"{path}.dir: this line is broken: {line[:60]!r}") from None
    with Path(f"{path}.dat").open("rb") as file:
        found = {}
        for key in WANTED:
            if key in places:
                file.seek(places[key][0])
                found[key] = file.read(places[key][1])
    return found


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    # bytes(10**12) would be a terabyte of zeros.
    return value if isinstance(value, bytes) else b""
