"""The files of a shelf: two equal journals, and a lock that whoever touches them holds.

PATH and PATH.copy hold the same lines: a snapshot, and after it what came since. Every change is in
both before it is acknowledged, so either may be lost, cut short or garbled. A rewriting goes beside
the file and is renamed over it. `dbm` and `shelve` of the standard library are not used: none of
their formats survives a kill, and which one there is depends on how Python was built.
"""

import errno
import logging
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from beatd.clock import Clock
from beatd.errors import StoreUnusable
from beatd.stores import journal
from beatd.stores.journal import Text
from beatd.stores.tables import AnyValue
from beatd.stores.trouble import beside, said_clearly
from beatd.stores.turn import Turn

log = logging.getLogger(__name__)


class Shelf:
    """What is written is on the disk; used only while it is `held`."""

    def __init__(self, path: Path, clock: Clock) -> None:
        with said_clearly(path):
            self.path = path.resolve()
        self._check_kind()
        self.notes: list[str] = []
        self._clock = clock
        self._copy_path = beside(self.path, ".copy")
        self._turn = Turn(beside(self.path, ".access"), clock, self._open)
        self._file = self._copy = -1
        self._end = self._number = 0
        self._process = os.getpid()

    def _check_kind(self) -> None:
        with said_clearly(self.path):
            try:
                mode = self.path.stat().st_mode
            except FileNotFoundError:
                self.path.parent.stat()
                return
            if stat.S_ISDIR(mode):
                raise IsADirectoryError(errno.EISDIR, "", str(self.path))
        if not stat.S_ISREG(mode):
            raise StoreUnusable(f"store.url: {self.path} is not a plain file; name another")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else reads or writes meanwhile; StoreError when it is held for too long."""
        if self._process != os.getpid():
            # A forked child shares its parent's lock, which then keeps neither from the other.
            self.close()
            self._process = os.getpid()
        with self._turn.taken():
            yield

    # reading

    def is_known(self) -> bool:
        """Whether what was read so far is still the beginning of the file."""
        if self._file < 0:
            return False
        try:
            there, mine = self.path.stat(), os.fstat(self._file)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino) and (
            there.st_size >= self._end
        )

    def added(self) -> list[bytes] | None:
        """The lines others added since; None when the file must be loaded anew."""
        size = os.fstat(self._file).st_size
        if size == self._end:
            return []
        data = os.pread(self._file, size - self._end, self._end)
        found = journal.read_on(data, self._number)
        if found is None:
            return None
        lines, length = found
        self._end += length
        self._number += len(lines)
        if self._end < size:
            # Someone was killed in the middle of a line, and holds the lock no more.
            os.ftruncate(self._file, self._end)
        return lines

    def load(self) -> tuple[list[bytes], bool]:
        """All good lines, and whether the files must be written anew."""
        self.forget()
        here, there = self._text(self.path), None
        if here is None or not here.clean or self._size(self._copy_path) != here.length:
            there = self._text(self._copy_path)
        if not (here and here.is_ours) and not (there and there.is_ours):
            return self._nothing()
        for text in (here, there):
            if text and text.header and text.header.format > journal.FORMAT:
                raise StoreUnusable(
                    f"store.url: {self.path} was written by a newer beatd; update this one"
                )
        lines, sound = self._best(here, there)
        if sound and here and here.header:
            self._file = self._open(self.path)
            self._end, self._number = here.length, len(here.lines) + 1
            os.ftruncate(self._file, self._end)
            self._mend_copy()
        return lines, not sound

    def _nothing(self) -> tuple[list[bytes], bool]:
        if self._size(self.path):
            raise StoreUnusable(
                f"store.url: {self.path} is no shelf of beatd and was left alone; name another "
                "file, or take its entries over with `beatd import`"
            )
        return [], True

    def _best(self, here: Text | None, there: Text | None) -> tuple[list[bytes], bool]:
        """The lines to believe, and whether they are just what the file holds."""
        alike = here and there and here.header and here.header == there.header
        if here and here.clean:
            cut = alike and there and there.clean and len(there.lines) > len(here.lines)
            if not cut:
                return _in_order(here.lines), True
            self._set_aside(self.path, "was cut short", "all of it is in its copy")
            assert there is not None
            return _in_order(there.lines), False
        if there and there.clean:
            if here is None:
                self._note(
                    f"{self.path} was missing and was restored from {self._copy_path}; "
                    "to begin anew, remove both"
                )
            else:
                self._set_aside(self.path, "was damaged", "all of it is in its copy")
            return _in_order(there.lines), False
        merged = {**(there.lines if there else {}), **(here.lines if here else {})}
        lost = max(merged, default=0) - len(merged)
        result = f"{lost} of its lines are lost" if lost else "all of it was found"
        for path in (self.path, self._copy_path):
            if path.exists():
                self._set_aside(path, "was damaged, like its copy", result)
        return _in_order(merged), False

    def _set_aside(self, path: Path, what: str, result: str) -> None:
        stamp = self._clock.now().strftime("%Y%m%dT%H%M%S.%f")
        bad = beside(path, f".bad-{stamp}")
        # A second name, so that there is no instant at which the file is not there.
        os.link(path, bad)
        self._note(f"{path} {what} and was set aside as {bad}; {result}")

    def _note(self, text: str) -> None:
        self.notes.append(text)
        log.warning(text)

    def _text(self, path: Path) -> Text | None:
        with said_clearly(path):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                return None
            return journal.read(data)

    def _size(self, path: Path) -> int:
        try:
            return path.stat().st_size
        except OSError:
            return 0

    # writing

    def append(self, values: list[AnyValue]) -> None:
        """In both files and on the disk, or in neither."""
        data = journal.line(self._number, values)
        with said_clearly(self.path):
            self._mend_copy()
            try:
                _write(self._file, data)
                _write(self._copy, data)
                os.fdatasync(self._file)
                os.fdatasync(self._copy)
            except OSError:
                for file in (self._file, self._copy):
                    with suppress(OSError):
                        os.ftruncate(file, self._end)
                raise
        self._end += len(data)
        self._number += 1

    def _mend_copy(self) -> None:
        """The copy is brought to where the file is: it was lost, or a kill came in between."""
        if self._copy >= 0:
            try:
                there, mine = self._copy_path.stat(), os.fstat(self._copy)
            except FileNotFoundError:
                there = None
            if there and (there.st_ino, there.st_size) == (mine.st_ino, self._end):
                return
            os.close(self._copy)
            self._copy = -1
        copy = self._open(self._copy_path)
        size = os.fstat(copy).st_size
        if size == self._end and self._begins_alike(copy):
            self._copy = copy
            return
        os.close(copy)
        beginning = os.pread(self._file, self._end, 0)
        self._copy = self._written_beside(self._copy_path, [beginning])
        os.fsync(self._copy)
        self._replace(self._copy_path)

    def _begins_alike(self, copy: int) -> bool:
        return os.pread(copy, 200, 0) == os.pread(self._file, 200, 0)

    def rewrite(self, values: Iterable[AnyValue]) -> None:
        """Both files anew, holding just these values; StoreError leaves them as they were."""
        lines = list(journal.whole(uuid4().hex, values))
        file = copy = -1
        with said_clearly(self.path):
            try:
                file = self._written_beside(self.path, lines)
                copy = self._written_beside(self._copy_path, lines)
                os.fsync(file)
                os.fsync(copy)
                self._replace(self.path)
                self._replace(self._copy_path)
            except OSError:
                for open_file in (file, copy):
                    if open_file >= 0:
                        os.close(open_file)
                for path in (self.path, self._copy_path):
                    with suppress(OSError):
                        beside(path, ".new").unlink()
                self.forget()
                raise
        self.forget()
        self._file, self._copy = file, copy
        self._end, self._number = sum(map(len, lines)), len(lines)

    def _written_beside(self, path: Path, parts: Iterable[bytes]) -> int:
        new = beside(path, ".new")
        file = self._open(new, os.O_TRUNC)
        try:
            for part in parts:
                _write(file, part)
        except OSError:
            os.close(file)
            with suppress(OSError):
                new.unlink()
            raise
        return file

    def _replace(self, path: Path) -> None:
        beside(path, ".new").replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _open(self, path: Path, flags: int = 0) -> int:
        flags |= os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        file = os.open(path, flags, 0o600)
        if os.geteuid() == 0:
            # A command run by root must not lock out the daemon that owns the shelf.
            with suppress(OSError):
                owner = self.path.stat()
                os.fchown(file, owner.st_uid, owner.st_gid)
        return file

    def forget(self) -> None:
        """What was read of the files is to be loaded anew."""
        for file in (self._file, self._copy):
            if file >= 0:
                os.close(file)
        self._file = self._copy = -1

    def close(self) -> None:
        self.forget()
        self._turn.close()


def _in_order(lines: dict[int, bytes]) -> list[bytes]:
    return [lines[number] for number in sorted(lines)]


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
