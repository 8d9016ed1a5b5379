"""Let a request wait while the beat works or is about to work, as both share one interpreter."""

from asyncio import sleep
from collections.abc import Callable

REST_NEEDED_S = 0.02  # a request that begins later would still run when the beat begins
PAUSE_S = 0.01
WAIT_MAX_S = 0.25  # a beat without any rest must not lock people out


async def give_way(rests_for: Callable[[], float]) -> None:
    """Wait until the beat rests for a while, but at most WAIT_MAX_S.

    `rests_for` returns the seconds until the beat works again, or 0 while it works.
    """
    waited = 0.0
    while rests_for() < REST_NEEDED_S and waited < WAIT_MAX_S:
        await sleep(PAUSE_S)
        waited += PAUSE_S
