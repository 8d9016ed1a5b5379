"""Two batches at once: one is published and recorded while the next one is settled and claimed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Overlap(Generic[T]):
    """Runs the later half of each batch, in order and never two at once.

    On another thread where that half waits for a broker; else on the same thread, when the earlier
    half of the next batch has been done.
    """

    def __init__(self) -> None:
        self._second = ThreadPoolExecutor(1, thread_name_prefix="beatd publish")
        self._end: Callable[[], T] | None = None
        self._ended: list[T] = []

    def start(self, later: Callable[[], T], *, threaded: bool) -> None:
        """Begin the later half of a batch when the one before it has ended."""
        self._end_started()
        self._end = self._second.submit(later).result if threaded else later

    def finish(self) -> list[T]:
        """End what was started, and return what all of it returned."""
        self._end_started()
        ended, self._ended = self._ended, []
        return ended

    def _end_started(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            self._ended.append(end())

    def __enter__(self) -> "Overlap[T]":
        return self

    def __exit__(self, *_: object) -> None:
        """Finish what is under way, after an error in another half; its own errors are dropped."""
        with suppress(Exception):
            self._end_started()
        self._ended = []

    def close(self) -> None:
        self._second.shutdown(wait=False)
