"""Wait at the start for a server that does not answer yet."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from beatd.clock import Clock
from beatd.errors import StoreError, StoreUnusable
from beatd.events import Observer, StoreAway, StoreBack, Ticked

T = TypeVar("T")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5  # between two tries


def open_when_reachable(
    open_part: Callable[[], T],
    *,
    clock: Clock,
    stop: threading.Event,
    observer: Observer,
    before_wait: Callable[[float], None],
    waits_for_unusable: bool = False,
) -> T | None:
    """Call `open_part` until its server answers, and return its result; None if `stop` was set.

    The error StoreUnusable is raised at once, unless `waits_for_unusable` is True. Events report
    the outage, its end and each wait. `before_wait` is called before each wait with its seconds.
    """
    pause, away_since = FIRST_PAUSE_S, None
    while not stop.is_set():
        try:
            part = open_part()
            if away_since is not None:
                observer(StoreBack(clock.elapsed() - away_since))
            return part
        except StoreError as trouble:
            if isinstance(trouble, StoreUnusable) and not waits_for_unusable:
                raise
            if away_since is None:
                away_since = clock.elapsed()
                observer(StoreAway(str(trouble)))
        now = clock.now()
        observer(Ticked(now, now + timedelta(seconds=pause)))
        before_wait(pause)
        clock.wait(pause, stop)
        pause = min(LONGEST_PAUSE_S, pause * 2)
    return None
