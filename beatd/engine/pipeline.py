"""Publish and record a batch while the next one is settled and claimed."""

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
        """Complete the function of the last call. Then run `later`, which publishes and records a
        batch, in a second thread. If not `threaded`, the next call of `start` or `finish` runs
        it."""
        self._end_started()
        self._end = self._second.submit(later).result if threaded else later

    def finish(self) -> list[T]:
        """Complete the last function, and return the results of all functions in order."""
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
        """Complete a function that an error left behind; suppress its error, drop all results."""
        with suppress(Exception):
            self._end_started()
        self._ended = []

    def close(self) -> None:
        """Stop the second thread after its work, without waiting for the thread."""
        self._second.shutdown(wait=False)
