"""Waiting for a server that is not there yet, at the start."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from beatd.clock import Clock
from beatd.errors import StoreError, StoreUnusable
from beatd.events import Observer, StoreAway, StoreBack, Ticked

T = TypeVar("T")

SHORTEST, LONGEST = 0.05, 0.5  # seconds between two tries


def when_open(
    opened: Callable[[], T],
    *,
    clock: Clock,
    stop: threading.Event,
    tell: Observer,
    idle: Callable[[float], None],
    patient: bool = False,
) -> T | None:
    """What it opens, tried until it answers, or None when stopped. Raises StoreUnusable, unless it
    is patient.

    `idle` is told before each wait how long it will be.
    """
    pause, since = SHORTEST, None
    while not stop.is_set():
        try:
            found = opened()
            if since is not None:
                tell(StoreBack(clock.elapsed() - since))
            return found
        except StoreError as trouble:
            if isinstance(trouble, StoreUnusable) and not patient:
                raise
            if since is None:
                since = clock.elapsed()
                tell(StoreAway(str(trouble)))
        now = clock.now()
        tell(Ticked(now, now + timedelta(seconds=pause)))
        idle(pause)
        clock.wait(pause, stop)
        pause = min(LONGEST, pause * 2)
    return None
