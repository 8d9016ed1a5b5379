"""The time: the only file that reads the operating system's clocks."""

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
# the two. The store's next reply corrects a clock that is slewed faster.
MAX_DRIFT = 0.0002
MAX_START_S = 10.0  # seconds that a command takes to start


class Earliest(Struct, frozen=True):
    """The earliest moment that the store's clock can show at `heard_at`, a time of `elapsed`."""

    moment: datetime
    heard_at: float

    def at(self, elapsed: float) -> datetime:
        """Return the earliest moment at another time of `elapsed`, rounded down to 1 µs."""
        since = elapsed - self.heard_at
        return self.moment + timedelta(microseconds=floor((since - abs(since) * MAX_DRIFT) * 1e6))


class StoreTime(Struct, frozen=True):
    """What a store's clock showed, rounded down to a microsecond; `server` names whose clock."""

    moment: datetime
    server: str


class SharedClock(Protocol):
    """The role of telling the time that all daemons share."""

    def now(self) -> StoreTime | None:
        """Return the time of the store's own clock at some instant of the call; None when the store
        has no clock."""


class Clock(Protocol):
    """The time, and a wait that can be cut short."""

    def now(self) -> datetime:
        """Return the store's time, or the host's if the store has no clock; aware, in UTC."""

    def elapsed(self) -> float:
        """Return seconds that only grow, and that count while the machine is suspended."""

    def steer(self, by: Earliest) -> None:
        """Make `now` the earliest time of the store's clock; before the first call it is the
        host's."""

    def wait(self, seconds: float, wake: threading.Event) -> None:
        """Return when the time is over or `wake` is set, whichever comes first."""

    def host_now(self) -> datetime:
        """Return the host's wall clock, to compare it with the store's."""


class SystemClock:
    """The host's clocks; once the store set it, steps of the host's wall clock do not matter."""

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
    """Return the seconds since this process was started, or 0 if that is unknown.

    It is unknown for a process that is older than a command takes to start: it was another program
    before, such as a script, that became this one.
    """
    with suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started
        if 0 <= age <= MAX_START_S:
            return age
    return 0.0
