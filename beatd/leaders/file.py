"""Make one daemon of a host the leader by a lock on a file.

The kernel frees the lock as soon as its holder dies.

The lock has no ttl (time limit). A frozen holder has the lock until the watchdog of its service
ends the process.
"""

import errno
import fcntl
import os
import stat
from contextlib import suppress
from pathlib import Path

from msgspec import DecodeError, json

from beatd.errors import StoreError, StoreUnusable
from beatd.leader import Holder

FILE_MAX_BYTES = 65_536  # a lock file holds one line


class FileLease:
    """A lock on a file that makes one daemon of a host the leader.

    A process holds the lock while it has the file open and locked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None

    def take(self, holder: Holder, ttl: float) -> Holder:
        if self._held is not None:
            if self._is_mine(self._held):
                return holder
            self.close()
            raise StoreError(
                f"lock file {self._path}: was deleted or replaced, and no longer keeps others out"
            )
        handle = self._open()
        try:
            if not try_lock(handle):
                return self._read(handle)
            self._refuse_other_content(handle)
            if not self._is_mine(handle):
                raise StoreError(f"lock file {self._path}: was replaced just now")
            # The file is written in place: the lock belongs to this file, not to its name.
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.encode(holder), 0)
            self._held = handle
            return holder
        except OSError as error:
            raise StoreError(f"lock file {self._path}: {error.strerror}") from None
        finally:
            if self._held is None:  # an open file would keep the lock from all daemons
                os.close(handle)

    def _open(self) -> int:
        # Raises StoreUnusable for a symbolic link, and StoreError for any other failure.
        # No link is followed: the owner of the folder must not make root write elsewhere. Without
        # O_NONBLOCK, opening a FIFO would wait for its other end.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            return os.open(self._path, flags, 0o600)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise StoreUnusable(
                    f"lock file {self._path}: is a symbolic link, which is not followed; "
                    "name the file itself"
                ) from None
            raise StoreError(f"lock file {self._path}: {error.strerror}") from None

    def _refuse_other_content(self, handle: int) -> None:
        # Raises StoreUnusable if the file is neither empty nor a lock file of beatd.
        found = os.fstat(handle)
        if stat.S_ISREG(found.st_mode):
            if not found.st_size:
                return
            with suppress(DecodeError):
                json.decode(os.pread(handle, FILE_MAX_BYTES, 0), type=Holder)
                return
        raise StoreUnusable(
            f"lock file {self._path}: is not a lock of beatd and was left alone; name another file"
        )

    def _read(self, handle: int) -> Holder:
        # Raises StoreError if the file does not describe a daemon.
        try:
            return json.decode(os.pread(handle, FILE_MAX_BYTES, 0), type=Holder)
        except DecodeError:
            raise StoreError(
                f"lock file {self._path}: held, and its holder not yet known"
            ) from None

    def _is_mine(self, handle: int) -> bool:
        # False if the lock file was deleted or replaced since it was opened.
        try:
            return os.path.samestat(self._path.stat(), os.fstat(handle))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StoreError(f"lock file {self._path}: {error.strerror}") from None

    def release(self, holder: Holder) -> None:
        self.close()

    def close(self) -> None:
        if self._held is not None:
            handle, self._held = self._held, None
            with suppress(OSError):
                os.close(handle)


def try_lock(handle: int) -> bool:
    """Lock the open file without waiting; return True on success, False if it is already locked."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
