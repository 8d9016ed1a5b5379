"""Choose how many runs are sent at once, from the time that earlier batches took."""

from collections.abc import Sequence
from typing import TypeVar

SMALLEST_BATCH = 10
BATCHES_A_TICK = 4  # so that they overlap

T = TypeVar("T")


class BatchSize:
    """The largest number of runs to send in one batch, adapted to the time that batches take.

    `now` is the present number. A batch that took more than a quarter of `ttl` (seconds) halves it.
    A batch that took less than an eighth doubles it, up to `most`.
    """

    def __init__(self, most: int, *, ttl: float) -> None:
        self.now, self._most, self._quarter = most, most, ttl / 4

    @property
    def rows_a_tick(self) -> int:
        """The largest number of due entries that one tick handles."""
        return self.now * BATCHES_A_TICK

    def learn(self, count: int, seconds: float) -> None:
        """Adapt the size of later batches, after a batch of `count` runs took `seconds` to send."""
        size, each = min(count, self.now), seconds / -(-count // self.now)
        if each > self._quarter:
            self.now = max(SMALLEST_BATCH, size // 2)
        elif each < self._quarter / 2 and size >= self.now:
            self.now = min(self._most, self.now * 2)


def batches_of(items: Sequence[T], size: int, first: int) -> list[Sequence[T]]:
    """Split `items` into batches that double in length, from `first` up to `size`.

    The first batch is small, so that it is sent early.
    """
    batches, at, length = list[Sequence[T]](), 0, min(first, size)
    while at < len(items):
        batches.append(items[at : at + length])
        at, length = at + length, min(length * 2, size)
    return batches
