"""One process at a time: a lock on a file, free at once when its holder dies."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from beatd.clock import Clock
from beatd.errors import StoreError
from beatd.stores.trouble import said_clearly

PATIENCE = 5.0  # seconds; a call takes milliseconds, so a holder that needs more is frozen
PAUSE = 0.0007


class Turn:
    def __init__(self, path: Path, clock: Clock, opened: Callable[[Path], int]) -> None:
        self._path, self._clock, self._opened = path, clock, opened
        self._file = -1

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Alone, or StoreError when another process does not let go."""
        with said_clearly(self._path):
            if self._file < 0:
                self._file = self._opened(self._path)
            self._wait()
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _wait(self) -> None:
        began = self._clock.elapsed()
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if self._clock.elapsed() - began > PATIENCE:
                    raise StoreError(
                        f"another process has held {self._path} for {PATIENCE:g} s; "
                        f"`fuser {self._path}` says which"
                    ) from None
            # Asked often, for there is no queue: who asks rarely starves among those who do not.
            self._clock.wait(PAUSE, threading.Event())

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
