"""Convert a store file from the format of older beatd versions to the present one.

An old store is two equal files of JSON lines: PATH and PATH.copy. Each line is a CRC-32 checksum,
the line number, and JSON:

    0f3c9a11 0 {"beatd":"shelf","format":1,"generation":"…"}
    9b1d04e7 1 [["version",1],["defined",…],["planned",…]]
"""

import fcntl
import logging
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from secrets import token_hex
from typing import get_args
from zlib import crc32

from msgspec import DecodeError, Raw, Struct, ValidationError, convert, json

from beatd.entry import Moment
from beatd.errors import StoreError, StoreUnusable
from beatd.stores.embedded.table_values import AnyValue
from beatd.stores.embedded.tables import Tables
from beatd.stores.file_errors import beside, said_clearly

SQLITE = b"SQLite format 3\0"
BEGINS = b'{"beatd":"shelf"'
KIND_OF: dict[str, type[AnyValue]] = {kind.__name__.lower(): kind for kind in get_args(AnyValue)}
log = logging.getLogger(__name__)


class _Announced(Struct, frozen=True):
    # An entry of the list of running daemons that older beatd versions keep in PATH.daemons. The
    # daemon counts as running until `ttl` seconds after `at`.
    at: Moment
    ttl: float


def take_over(path: Path, write: Callable[[Path, Sequence[AnyValue]], None]) -> None:
    """Convert a store file from the format of older versions; the old file is kept as PATH.old.

    `write` creates a new store at a path from the given values. A file that is not old stays as it
    is. Raise StoreError if an older beatd still runs or a file cannot be used, and StoreUnusable if
    the file has unknown values.
    """
    with said_clearly(path):
        if not may_be_old(path):
            return
        with _alone(path):
            _refuse_if_used(path)
            lines = _lines_of_both(path)
            if lines is None:
                return  # another process was faster, or it is something else
            new = beside(path, f".new-{token_hex(4)}")
            try:
                write(new, list(_alive(path, lines)))
                _give_to_owner(new, path)
                if path.exists():
                    path.replace(beside(path, ".old"))
                new.replace(path)
            finally:
                new.unlink(missing_ok=True)
            for ending in (".copy", ".daemons"):
                beside(path, ending).unlink(missing_ok=True)
            log.info("%s was taken over from an older form, which is kept as %s.old", path, path)


def may_be_old(path: Path) -> bool:
    """Return True if the path seems to have a store of the first form, which is to be converted."""
    # A database is never opened here: closing it would drop this process's locks on it.
    if beside(path, ".copy").exists():
        return True
    with suppress(OSError):  # the store itself will say what is wrong with its path
        found = path.stat()
        return stat.S_ISREG(found.st_mode) and found.st_size > 0 and not _is_database(path)
    return False


def _is_database(path: Path) -> bool:
    return beside(path, "-wal").exists() or _text(path).startswith(SQLITE)


def _text(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        return file.read()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    # Older beatd versions lock the file, too. Raises StoreError if another process has the lock.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    access = beside(path, ".access")
    handle = os.open(access, flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise StoreError(f"another process holds {access}: stop every older beatd first") from None
    finally:
        os.close(handle)


def _refuse_if_used(path: Path) -> None:
    # An old daemon locks the shelf only during each call, so the lock alone does not show that it
    # runs.
    try:
        told = json.decode(_text(beside(path, ".daemons")), type=dict[str, _Announced])
    except (OSError, DecodeError, ValidationError):
        return
    now = datetime.now(UTC)  # the clock that the announcing daemon used, on the same host
    if any(abs((now - one.at).total_seconds()) < one.ttl for one in told.values()):
        raise StoreError(
            f"{path}: a daemon of an older beatd uses it; stop every older beatd first"
        )


def _lines_of_both(path: Path) -> list[bytes] | None:
    # Without the header; None if there is no old shelf. Damaged lines are read from the copy. A
    # line that is damaged in both files is left out, with a warning.
    here, there = _good_lines(path), _good_lines(beside(path, ".copy"))
    whole = next((lines for lines in (here, there) if lines and None not in lines), None)
    merged = whole or [a or b for a, b in zip_longest(here, there)]
    found = [line for line in merged if line is not None]
    if not found or not found[0].startswith(BEGINS):
        return None
    if whole is None:
        lost = len(merged) - len(found)
        log.warning("%s and its copy are damaged; %d of its lines are lost", path, lost)
    return found[1:]


def _good_lines(path: Path) -> list[bytes | None]:
    # None stands for a damaged line. [] if the file does not exist.
    try:
        complete = _text(path).split(b"\n")[:-1]  # a write that left no newline never returned
    except FileNotFoundError:
        return []
    return [_opened(line, number) for number, line in enumerate(complete)]


def _opened(line: bytes, number: int) -> bytes | None:
    # A line is "CHECKSUM NUMBER JSON"; the checksum is about the number, too.
    checksum, _, numbered = line.partition(b" ")
    place, _, text = numbered.partition(b" ")
    good = checksum == b"%08x" % crc32(numbered) and place == b"%d" % number
    return text if good else None


def _alive(path: Path, lines: Sequence[bytes]) -> Iterator[AnyValue]:
    # The lines are changes, oldest first. Applied to empty tables they give what exists now.
    held = Tables()
    try:
        for line in lines:
            for kind, *fields in json.decode(line, type=list[list[Raw]]):
                held.replay(_value(json.decode(kind, type=str), fields))
    except (KeyError, DecodeError, ValidationError) as error:
        raise StoreUnusable(
            f"store.url: {path} holds what this beatd does not know: {error}"
        ) from None
    yield from held.alive()


def _value(kind: str, fields: Sequence[Raw]) -> AnyValue:
    of = KIND_OF[kind]
    # Fields that came after the old format are the last of their class, and have a default.
    named = dict(zip(of.__struct_fields__, fields, strict=False))
    plain = {name: raw if name == "definition" else json.decode(raw) for name, raw in named.items()}
    value: AnyValue = convert(plain, type=of)
    return value


def _give_to_owner(new: Path, old: Path) -> None:
    # If root runs this process, the daemon's user could otherwise not open the new file.
    if os.geteuid() == 0 and old.exists():
        owner = old.stat()
        handle = os.open(new, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchown(handle, owner.st_uid, owner.st_gid)
        finally:
            os.close(handle)
