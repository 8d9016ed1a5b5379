"""The clock of a daemon. No other file reads the operating system's clocks."""

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
    """A lower bound of the store's clock, which shows at least `moment` at the time `heard_at`.

    `heard_at` is a time of the monotonic clock `Clock.elapsed`, in seconds.
    """

    moment: datetime
    heard_at: float

    def at(self, elapsed: float) -> datetime:
        """Return the earliest time that the store's clock can show at the time `elapsed`.

        `elapsed` is a time of `Clock.elapsed`. The two clocks may drift apart by at most
        `MAX_DRIFT`.
        """
        since = elapsed - self.heard_at
        return self.moment + timedelta(microseconds=floor((since - abs(since) * MAX_DRIFT) * 1e6))


class StoreTime(Struct, frozen=True):
    """A time that the clock of a store's server showed, rounded down to a microsecond."""

    moment: datetime
    server: str


class SharedClock(Protocol):
    """A store with a clock that all daemons can read."""

    def now(self) -> StoreTime | None:
        """Return the time of the store's clock during this call, or None if it has no clock."""


class Clock(Protocol):
    """The clock of a daemon, with a wait that an event can end early."""

    def now(self) -> datetime:
        """Return the current UTC time of the store's clock or, without one, of the host's."""

    def elapsed(self) -> float:
        """Return the seconds of a monotonic clock that also runs while the machine is suspended."""

    def steer(self, by: Earliest) -> None:
        """Make `now` follow the store's clock, of which `by` is a lower bound.

        Replaces the host's clock or an earlier bound.
        """

    def wait(self, seconds: float, wake: threading.Event) -> None:
        """Block until the seconds are over or `wake` is set, whichever comes first."""

    def host_now(self) -> datetime:
        """Return the time of the host's own clock; aware, in UTC."""


class SystemClock:
    """A `Clock` that reads the host's clocks.

    After `steer`, a jump of the host's wall clock no longer changes `now`.
    """

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
    """Return the seconds since this process was started, or 0.0 if that is unknown.

    An age above `MAX_START_S` counts as unknown: the process then probably ran another program
    first, such as a shell script that replaced itself by beatd.
    """
    with suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started
        if 0 <= age <= MAX_START_S:
            return age
    return 0.0
