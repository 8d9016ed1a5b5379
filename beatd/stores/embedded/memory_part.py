"""The base class of the parts of a store in memory, which share its tables, clock and lock."""

import threading
from contextlib import AbstractContextManager

from beatd.catalog import Wake
from beatd.clock import Clock
from beatd.stores.embedded.tables import Tables


class MemoryPart:
    def __init__(self, *, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.RLock()
        self._tables = Tables()
        self._wakes: list[Wake] = []

    def _reading(self) -> AbstractContextManager[object]:
        return self._lock

    def _writing(self) -> AbstractContextManager[object]:
        # Locks the tables for a change. A subclass also saves the change to a file at the end.
        return self._lock

    def _wake(self) -> None:
        for wake in self._wakes:
            wake()
