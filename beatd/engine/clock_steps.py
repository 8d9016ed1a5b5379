"""Noticing that the clock was set: the plan is right all the same, and people want to know."""

from datetime import datetime

from beatd.clock import Clock
from beatd.events import ClockStepped, Observer

UNNOTICED_S = 1.0  # by which the clock may be corrected without a word


class ClockSteps:
    def __init__(self, clock: Clock, tell: Observer) -> None:
        self._clock, self._tell = clock, tell
        self._last = clock.now(), clock.elapsed()

    def notice(self, now: datetime) -> bool:
        """True if the clock was set since the last call."""
        elapsed = self._clock.elapsed()
        (last_now, last_elapsed), self._last = self._last, (now, elapsed)
        step = (now - last_now).total_seconds() - (elapsed - last_elapsed)
        if abs(step) <= UNNOTICED_S:
            return False
        self._tell(ClockStepped(step))
        return True
