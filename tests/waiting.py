"""Waiting for what another process does."""

import time
from collections.abc import Callable
from contextlib import suppress

PAUSE = 0.01
BUSY = 5  # a busy machine may take so many times as long as a quiet one


def until(
    true: Callable[[], object],
    within: float,
    what: str,
    *,
    not_yet: tuple[type[Exception], ...] = (),
) -> None:
    """Returns as soon as it is so; TimeoutError says what did not come true. Nothing tells us when
    another process is ready but asking it; the exceptions in `not_yet` are answers too.
    `within` is in seconds of a quiet machine, and no assertion."""
    deadline = time.monotonic() + BUSY * within
    while True:
        with suppress(*not_yet):
            if true():
                return
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(PAUSE)
