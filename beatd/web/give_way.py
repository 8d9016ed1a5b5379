"""Delay web requests while the scheduler works, because both share one Python interpreter."""

from asyncio import sleep
from collections.abc import Callable

REST_NEEDED_S = 0.02  # a request that begins later would still run when the beat begins
PAUSE_S = 0.01
WAIT_MAX_S = 0.25  # a beat without any rest must not lock people out


async def give_way(rests_for: Callable[[], float]) -> None:
    """Wait until the scheduler is idle long enough for a request, for at most WAIT_MAX_S seconds.

    `rests_for` returns the seconds until the scheduler works again, or 0 while it works.
    """
    waited = 0.0
    while rests_for() < REST_NEEDED_S and waited < WAIT_MAX_S:
        await sleep(PAUSE_S)
        waited += PAUSE_S
