"""Report when the clock of the host was set forward or back."""

from datetime import datetime

from beatd.clock import Clock
from beatd.events import ClockStepped, Observer

UNNOTICED_S = 1.0  # a smaller step of the clock emits no event


class ClockSteps:
    def __init__(self, clock: Clock, emit: Observer) -> None:
        self._clock, self._emit = clock, emit
        self._last = clock.now(), clock.elapsed()

    def notice(self, now: datetime) -> bool:
        """Return True and emit `ClockStepped` if the clock was set since the last call."""
        elapsed = self._clock.elapsed()
        (last_now, last_elapsed), self._last = self._last, (now, elapsed)
        step = (now - last_now).total_seconds() - (elapsed - last_elapsed)
        if abs(step) <= UNNOTICED_S:
            return False
        self._emit(ClockStepped(step))
        return True
