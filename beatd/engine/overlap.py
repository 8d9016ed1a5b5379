"""Process two batches at once: one is published while the next one is settled and claimed."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Overlap(Generic[T]):
    """Runs the second half of each batch (publish and record) in order, one at a time.

    With `threaded` it runs on another thread, so that the caller can claim the next batch
    meanwhile; else on the caller's thread, after the next batch was claimed.
    """

    def __init__(self) -> None:
        self._second = ThreadPoolExecutor(1, thread_name_prefix="beatd publish")
        self._end: Callable[[], T] | None = None
        self._ended: list[T] = []

    def start(self, later: Callable[[], T], *, threaded: bool) -> None:
        """Complete the second half of the last batch, then start `later`, or (not `threaded`) keep
        it until the next call."""
        self._end_started()
        self._end = self._second.submit(later).result if threaded else later

    def finish(self) -> list[T]:
        """Complete every started half, and return their results in order."""
        self._end_started()
        ended, self._ended = self._ended, []
        return ended

    def _end_started(self) -> None:
        """Wait for the started half, or run the one that was kept, and store its result."""
        end, self._end = self._end, None
        if end is not None:
            self._ended.append(end())

    def __enter__(self) -> "Overlap[T]":
        return self

    def __exit__(self, *_: object) -> None:
        """After an error in another half, complete the started one; drop its errors and results."""
        with suppress(Exception):
            self._end_started()
        self._ended = []

    def close(self) -> None:
        """Let the thread end; do not wait for it."""
        self._second.shutdown(wait=False)
