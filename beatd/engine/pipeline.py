"""Run functions one after the other on a second thread, such as to publish batches."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Pipeline(Generic[T]):
    def __init__(self) -> None:
        self._second = ThreadPoolExecutor(1, thread_name_prefix="beatd publish")
        self._end: Callable[[], T] | None = None
        self._ended: list[T] = []

    def start(self, later: Callable[[], T], *, threaded: bool) -> None:
        """Run a function on a second thread, after the function of the last call has ended.

        If not `threaded`, the next call of `start` or `finish` runs it instead.
        """
        self._end_started()
        self._end = self._second.submit(later).result if threaded else later

    def finish(self) -> list[T]:
        """Wait until all functions have ended, and return their results in order."""
        self._end_started()
        ended, self._ended = self._ended, []
        return ended

    def _end_started(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            self._ended.append(end())

    def __enter__(self) -> "Pipeline[T]":
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for a function that is still running; drop its error and all results."""
        with suppress(Exception):
            self._end_started()
        self._ended = []

    def close(self) -> None:
        """Stop the second thread after its current work, without waiting."""
        self._second.shutdown(wait=False)
