"""Notice that the clock was set.

The plan needs no correction for it; the event informs people.
"""

from datetime import datetime

from beatd.clock import Clock
from beatd.events import ClockStepped, Observer

UNNOTICED_S = 1.0  # a smaller step of the clock emits no event


class ClockSteps:
    """Compares the clock with the elapsed time, and emits `ClockStepped` when the two differ."""

    def __init__(self, clock: Clock, tell: Observer) -> None:
        self._clock, self._tell = clock, tell
        self._last = clock.now(), clock.elapsed()

    def notice(self, now: datetime) -> bool:
        """Emit `ClockStepped` and return True if the clock was set since the last call.

        `now` is the current time by the clock. Steps of up to `UNNOTICED_S` are ignored.
        """
        elapsed = self._clock.elapsed()
        (last_now, last_elapsed), self._last = self._last, (now, elapsed)
        step = (now - last_now).total_seconds() - (elapsed - last_elapsed)
        if abs(step) <= UNNOTICED_S:
            return False
        self._tell(ClockStepped(step))
        return True
