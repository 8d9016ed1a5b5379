"""A lock on a file: the kernel frees it in the instant its holder dies.

It knows no ttl: a holder that is frozen keeps it, and the watchdog of its service must end it.
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

LARGEST = 65_536  # bytes of a lock file; it holds one line


class FileLease:
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
            if not locked(handle):
                return self._read(handle)
            self._check_that_it_is_ours(handle)
            if not self._is_mine(handle):
                raise StoreError(f"lock file {self._path}: was replaced just now")
            # Written in place: a lock belongs to the file it was taken on, so the file must stay.
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.encode(holder), 0)
            self._held = handle
            return holder
        except OSError as error:
            raise StoreError(f"lock file {self._path}: {error.strerror}") from None
        finally:
            if self._held is None:  # an open one would keep the lock from everybody
                os.close(handle)

    def _open(self) -> int:
        # No link is followed: whoever owns the folder must not make root write elsewhere. Without
        # O_NONBLOCK a FIFO would be waited for.
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

    def _check_that_it_is_ours(self, handle: int) -> None:
        """Raises StoreUnusable for a file that is neither empty nor a lock of beatd."""
        found = os.fstat(handle)
        if stat.S_ISREG(found.st_mode):
            if not found.st_size:
                return
            with suppress(DecodeError):
                json.decode(os.pread(handle, LARGEST, 0), type=Holder)
                return
        raise StoreUnusable(
            f"lock file {self._path}: is not a lock of beatd and was left alone; name another file"
        )

    def _read(self, handle: int) -> Holder:
        try:
            return json.decode(os.pread(handle, LARGEST, 0), type=Holder)
        except DecodeError:
            # Its holder has not written its name yet.
            raise StoreError(
                f"lock file {self._path}: held, and its holder not yet known"
            ) from None

    def _is_mine(self, handle: int) -> bool:
        """Whether others would meet this lock: it is on the file that lies there."""
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


def locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
