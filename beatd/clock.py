"""When is it: the only file that reads the operating system's clock."""

import os
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import floor
from pathlib import Path
from typing import Protocol

from msgspec import Struct

# Seconds per second that the store's clock may lose against this host's: 100 millionths for each of
# the two. A clock that is slewed faster is corrected by the store's next reply.
MAX_DRIFT = 0.0002
MAX_START_S = 10.0


class Earliest(Struct, frozen=True):
    """The earliest moment that the store's clock can show when `elapsed` is `heard_at`."""

    moment: datetime
    heard_at: float

    def at(self, elapsed: float) -> datetime:
        """The earliest that it can show at another time; rounded down to a microsecond."""
        since = elapsed - self.heard_at
        return self.moment + timedelta(microseconds=floor((since - abs(since) * MAX_DRIFT) * 1e6))


class StoreTime(Struct, frozen=True):
    """What a store's clock showed, rounded down to a microsecond; `server` names whose clock."""

    moment: datetime
    server: str


class StoreClock(Protocol):
    """The role of telling the time that all daemons share."""

    def now(self) -> StoreTime | None:
        """Return the time of the store's own clock at some instant of the call; None when the store
        has no clock."""


class Clock(Protocol):
    def now(self) -> datetime:
        """The store's time where the store has a clock, else the host's; aware, UTC."""

    def elapsed(self) -> float:
        """Seconds that only ever grow, a suspended machine's sleep included."""

    def steer(self, by: Earliest) -> None:
        """From here on `now` is the earliest that the store's clock can show; before the first
        call it is the host's clock."""

    def wait(self, seconds: float, wake: threading.Event) -> None:
        """Return when the time is over or `wake` is set, whichever comes first."""

    def host_now(self) -> datetime:
        """The host's wall clock, to tell how far the store's is from it."""


class SystemClock:
    """The host's clocks; set by a store, it ignores every step of the host's wall clock."""

    def __init__(self) -> None:
        self._earliest: Earliest | None = None

    def now(self) -> datetime:
        earliest = self._earliest
        return datetime.now(UTC) if earliest is None else earliest.at(self.elapsed())

    def elapsed(self) -> float:
        # Not CLOCK_MONOTONIC: it stands still while a laptop or a virtual machine is suspended,
        # and a lease trusted over a suspend would be trusted for ever.
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def steer(self, by: Earliest) -> None:
        self._earliest = by

    def wait(self, seconds: float, wake: threading.Event) -> None:
        wake.wait(max(0.0, seconds))

    def host_now(self) -> datetime:
        return datetime.now(UTC)


def process_age() -> float:
    """Seconds since this process was started, or 0 where that cannot be told.

    A process that is older than a command takes to start was something else before: a script
    that became this program.
    """
    with suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started
        if 0 <= age <= MAX_START_S:
            return age
    return 0.0
