"""Collect Python's garbage only while the process is idle.

Only a process of beatd's own does this, not a program that embeds beatd.
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
    """Replaces Python's automatic garbage collection by collections while the process waits.

    The constructor disables the automatic collection. The daemon calls this object before each
    wait. Create it before the other imports, which are then faster.
    """

    def __init__(self) -> None:
        # Automatic collections took a third of a large batch, and a sixth of the start-up time.
        gc.disable()
        self._collections = 0
        self._started = False
        self._reloaded_at: float | None = None  # monotonic seconds

    def reloaded(self) -> None:
        """Request one full garbage collection soon, to free the daemon that a reload has replaced.

        The caller must not refer to any object of the old daemon.
        """
        gc.unfreeze()
        if self._reloaded_at is None:
            self._reloaded_at = monotonic()

    def __call__(self, seconds: float) -> None:
        """Collect garbage now if there is enough of it and the process will wait for `seconds`.

        A short wait is not used, but a very large amount of garbage is collected in any case.
        """
        if not self._started:
            self._started = True
            gc.freeze()  # the present objects are never collected, except after a reload
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
        if self._reloaded_at is None:
            return False
        least = AFTER_RELOAD_S if seconds > IDLE_AT_LEAST_S else AFTER_RELOAD_WHEN_BUSY_S
        return monotonic() - self._reloaded_at >= least
