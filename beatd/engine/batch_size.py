"""Choose the size of a batch, so that no batch lasts longer than the lease."""

from collections.abc import Sequence
from typing import TypeVar

SMALLEST_BATCH = 10
BATCHES_A_TICK = 4  # so that they overlap

T = TypeVar("T")


class BatchSize:
    """Computes the size of a batch, `now`, in moves (changes of one row each).

    A batch that took more than a quarter of the lease's `ttl` (seconds) halves `now`. A batch that
    took less than an eighth doubles it, up to `most`.
    """

    def __init__(self, most: int, *, ttl: float) -> None:
        self.now, self._most, self._quarter = most, most, ttl / 4

    @property
    def rows_a_tick(self) -> int:
        """The number of due rows that one tick reads."""
        return self.now * BATCHES_A_TICK

    def learn(self, count: int, seconds: float) -> None:
        """Adapt `now` to the last batches, in which `count` moves took `seconds` in all."""
        size, each = min(count, self.now), seconds / -(-count // self.now)
        if each > self._quarter:
            self.now = max(SMALLEST_BATCH, size // 2)
        elif each < self._quarter / 2 and size >= self.now:
            self.now = min(self._most, self.now * 2)


def batches_of(items: Sequence[T], size: int, first: int) -> list[Sequence[T]]:
    """Return `items` in batches that double from `first` to `size`, to send the first early."""
    batches, at, length = list[Sequence[T]](), 0, min(first, size)
    while at < len(items):
        batches.append(items[at : at + length])
        at, length = at + length, min(length * 2, size)
    return batches
