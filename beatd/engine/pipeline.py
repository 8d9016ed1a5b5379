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
        """Wait for the `later` (publish and record) of the batch before. Then run this `later`
        in a second thread, or keep it until the next call if not `threaded`."""
        self._end_started()
        self._end = self._second.submit(later).result if threaded else later

    def finish(self) -> list[T]:
        """Complete the `later` functions of all batches, and return their results in order."""
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
        """Complete a `later` that an error left behind; drop its errors and all results."""
        with suppress(Exception):
            self._end_started()
        self._ended = []

    def close(self) -> None:
        """Let the second thread end, without waiting for it."""
        self._second.shutdown(wait=False)
