"""Delay web requests while the scheduler works, because both share one Python interpreter."""

from asyncio import Semaphore, sleep
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

REST_NEEDED_S = 0.02  # a request that begins later would still run when the beat begins
PAUSE_S = 0.005
WAIT_MAX_S = 0.25  # a beat without any rest must not lock people out
REQUESTS_AT_ONCE = 4  # more would still run after REST_NEEDED_S; as many threads handle them


class GiveWay:
    """Lets requests begin only while the scheduler is idle, and few of them at a time.

    `rests_for` returns the seconds until the scheduler works again, or 0 while it works.
    """

    def __init__(self, rests_for: Callable[[], float]) -> None:
        self._rests_for = rests_for
        self._places = Semaphore(REQUESTS_AT_ONCE)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a free place and an idle scheduler, and hold the place during the request.

        A request waits for the scheduler at most WAIT_MAX_S seconds after it arrived.
        """
        last_moment = monotonic() + WAIT_MAX_S
        async with self._places:
            while self._rests_for() < REST_NEEDED_S and monotonic() < last_moment:
                await sleep(PAUSE_S)
            yield
