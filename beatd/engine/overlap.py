"""Two batches at once: one is published and recorded while the next one is settled and claimed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Generic, TypeVar

from beatd.errors import BeatError

T = TypeVar("T")


class Overlap(Generic[T]):
    """Runs the later half of each batch, in order and never two at once.

    On another thread where that half waits for a broker; else on the same thread, when the earlier
    half of the next batch has been done.
    """

    def __init__(self) -> None:
        self._second = ThreadPoolExecutor(1, thread_name_prefix="beatd publish")
        self._running: Future[T] | None = None
        self._deferred: Callable[[], T] | None = None
        self._ended: list[T] = []

    def start(self, later: Callable[[], T], *, threaded: bool) -> None:
        """Begin the later half of a batch when the one before it has ended."""
        self._end()
        if threaded:
            self._running = self._second.submit(later)
        else:
            self._deferred = later

    def finish(self) -> list[T]:
        """End what was started, and return what all of it returned."""
        self._end()
        ended, self._ended = self._ended, []
        return ended

    def abandon(self) -> None:
        """End what was started after an error in another half; what is under way is finished."""
        if self._running is not None:
            wait([self._running])
        if self._deferred is not None:
            with suppress(BeatError):
                self._deferred()
        self._running, self._deferred, self._ended = None, None, []

    def _end(self) -> None:
        running, self._running = self._running, None
        deferred, self._deferred = self._deferred, None
        if running is not None:
            self._ended.append(running.result())
        if deferred is not None:
            self._ended.append(deferred())

    def close(self) -> None:
        self._second.shutdown(wait=False)
