"""A lock on a file: the kernel frees it in the instant its holder dies.

It knows no ttl: a holder that is frozen keeps it, and the watchdog of its service must end it.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from msgspec import DecodeError, json

from beatd.errors import StoreError
from beatd.leader import Holder


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
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"lock file {self._path}: {error.strerror}") from None
        try:
            if not locked(handle):
                return self._read(handle)
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

    def _read(self, handle: int) -> Holder:
        try:
            return json.decode(os.pread(handle, 65_536, 0), type=Holder)
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
