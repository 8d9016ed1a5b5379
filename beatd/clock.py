"""When is it: the only file that reads the operating system's clock."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The store's time where the store has a clock, else the host's; aware, UTC."""

    def elapsed(self) -> float:
        """Seconds that only ever grow, a suspended machine's sleep included."""

    def steer(self, offset: timedelta | None) -> None:
        """From here on `now` is `elapsed` plus this offset; None = the host's clock."""

    def wait(self, seconds: float, wake: threading.Event) -> None:
        """Return when the time is over or `wake` is set, whichever comes first."""

    def host_now(self) -> datetime:
        """The host's wall clock, to tell how far the store's is from it."""


class SystemClock:
    """The host's clocks; steered by a store, it ignores every step of the host's wall clock."""

    def __init__(self) -> None:
        self._offset: timedelta | None = None

    def now(self) -> datetime:
        if self._offset is None:
            return datetime.now(UTC)
        return EPOCH + timedelta(seconds=self.elapsed()) + self._offset

    def elapsed(self) -> float:
        # Not CLOCK_MONOTONIC: it stands still while a laptop or a virtual machine is suspended,
        # and a lease trusted over a suspend would be trusted for ever.
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def steer(self, offset: timedelta | None) -> None:
        self._offset = offset

    def wait(self, seconds: float, wake: threading.Event) -> None:
        wake.wait(max(0.0, seconds))

    def host_now(self) -> datetime:
        return datetime.now(UTC)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
