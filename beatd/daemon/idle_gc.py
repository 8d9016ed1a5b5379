"""Cyclic garbage is collected in idle moments: in the middle of a herd it took a third of the time.

For a process that is beatd's own; inside another program its collector is left alone.
"""

import gc
from time import monotonic

IDLE = 0.05  # seconds free before a collection is worth beginning
YOUNG = 10_000  # objects made since the last one
TOO_MANY = 1_000_000  # then it is collected even if the beat is busy
WHOLE_EVERY = 100
AFTER_RELOAD_S = 2.0  # by then the last thread of the old daemon has ended
LATEST_S = 7.0  # a beat that is never idle is interrupted for it then


class IdleCollector:
    """Made before the imports: to collect between them takes a sixth of the way to readiness.

    What is there at the first wait is taken to live for ever.
    """

    def __init__(self) -> None:
        gc.disable()
        self._times = 0
        self._started = False
        self._reloaded_at: float | None = None  # monotonic seconds

    def reloaded(self) -> None:
        """Collect the daemon that has ended soon, in an idle moment; the caller must not hold it.

        Its objects are frozen, or older than what most collections look at: without this call they
        stay for ever.
        """
        gc.unfreeze()
        if self._reloaded_at is None:
            self._reloaded_at = monotonic()

    def __call__(self, free: float) -> None:
        """Called before each wait with its length in seconds."""
        if not self._started:
            self._started = True
            gc.freeze()
        if self._reloaded_at is not None and self._is_time(free, monotonic() - self._reloaded_at):
            self._reloaded_at = None
            gc.collect()
            gc.freeze()
        young = gc.get_count()[0]
        if young > TOO_MANY or (young > YOUNG and free > IDLE):
            self._times += 1
            if self._times % WHOLE_EVERY and free <= IDLE * 10:
                gc.collect(0)
            elif self._times % WHOLE_EVERY:
                gc.collect(1)
            else:
                gc.collect()
                gc.freeze()

    @staticmethod
    def _is_time(free: float, since_reload: float) -> bool:
        return since_reload >= (AFTER_RELOAD_S if free > IDLE else LATEST_S)
