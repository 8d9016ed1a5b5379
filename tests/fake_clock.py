"""A clock whose hands the test moves; waiting moves them too."""

import threading
from datetime import UTC, datetime, timedelta

from beatd.clock import Earliest


class FakeClock:
    def __init__(self, now: str = "2026-03-01T00:00:00+00:00") -> None:
        self._now = datetime.fromisoformat(now).astimezone(UTC)
        self._elapsed = 1000.0

    def now(self) -> datetime:
        return self._now

    def host_now(self) -> datetime:
        return self._now

    def elapsed(self) -> float:
        return self._elapsed

    def steer(self, by: Earliest) -> None:
        pass

    def wait(self, seconds: float, wake: threading.Event) -> None:
        if not wake.is_set():
            self.advance(seconds=max(0.0, seconds))

    def advance(self, **by: float) -> None:
        delta = timedelta(**by)
        self._now += delta
        self._elapsed += delta.total_seconds()

    def move_to(self, moment: datetime) -> None:
        self.advance(seconds=0)
        if moment > self._now:
            self._elapsed += (moment - self._now).total_seconds()
            self._now = moment

    def step(self, **by: float) -> None:
        """The wall clock jumps; elapsed time does not."""
        self._now += timedelta(**by)
