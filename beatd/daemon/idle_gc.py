"""Collect cyclic garbage while the process is idle.

Automatic collections in the middle of a large batch took a third of its time. Only a process of
beatd's own does this; a program that embeds beatd uses Python's automatic collection.
"""

import gc
from time import monotonic

IDLE_AT_LEAST_S = 0.05  # a wait that is long enough for a collection
LONG_IDLE_AT_LEAST_S = 0.5  # a wait that is long enough for the second generation
YOUNG_OBJECTS = 10_000  # made since the last collection, worth the next one
BUSY_YOUNG_OBJECTS = 1_000_000  # made since, collected even while the beat is busy
FULL_COLLECTION_EVERY = 100  # collections
AFTER_RELOAD_S = 2.0  # by then the last thread of the old daemon has ended
AFTER_RELOAD_WHEN_BUSY_S = 7.0  # then a beat that is never idle is interrupted


class IdleGc:
    """Replaces Python's automatic garbage collection by collections in idle moments.

    The constructor disables the automatic collection. Create this object before the other imports,
    because collections during the imports take a sixth of the start-up time. The daemon calls the
    object before each wait. Objects that exist at the first wait are never collected, except after
    a reload.
    """

    def __init__(self) -> None:
        gc.disable()
        self._collections = 0
        self._started = False
        self._reloaded_at: float | None = None  # monotonic seconds

    def reloaded(self) -> None:
        """Make one of the next calls collect the old daemon, which has ended after a reload.

        Without this call, the objects of the old daemon would stay in memory, because most
        collections skip them. The caller must not refer to any of these objects.
        """
        gc.unfreeze()
        if self._reloaded_at is None:
            self._reloaded_at = monotonic()

    def __call__(self, seconds: float) -> None:
        """Collect garbage if there is enough of it and the coming wait is long enough.

        `seconds` is the length of that wait. An extreme amount of garbage is collected in any case.
        """
        if not self._started:
            self._started = True
            gc.freeze()
        if self._is_reload_due(seconds):
            self._reloaded_at = None
            gc.collect()
            gc.freeze()
        young = gc.get_count()[0]
        if young > BUSY_YOUNG_OBJECTS or (young > YOUNG_OBJECTS and seconds > IDLE_AT_LEAST_S):
            self._collections += 1
            if self._collections % FULL_COLLECTION_EVERY == 0:
                gc.collect()
                gc.freeze()
            else:
                gc.collect(1 if seconds > LONG_IDLE_AT_LEAST_S else 0)

    def _is_reload_due(self, seconds: float) -> bool:
        """True if the old daemon should be collected now, after a reload.

        `seconds` is the length of the coming wait.
        """
        if self._reloaded_at is None:
            return False
        least = AFTER_RELOAD_S if seconds > IDLE_AT_LEAST_S else AFTER_RELOAD_WHEN_BUSY_S
        return monotonic() - self._reloaded_at >= least
