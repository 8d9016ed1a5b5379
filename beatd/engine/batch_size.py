"""How large a batch may be: it must fit well into the lease, or its leader is deposed meanwhile."""

from collections.abc import Sequence
from typing import TypeVar

SMALLEST_BATCH = 10
BATCHES_A_TICK = 4  # so that they overlap

T = TypeVar("T")


class BatchSize:
    """Halved when a batch took more than a quarter of the lease, grown again when well below."""

    def __init__(self, most: int, *, ttl: float) -> None:
        self.now, self._most, self._quarter = most, most, ttl / 4

    @property
    def rows_a_tick(self) -> int:
        return self.now * BATCHES_A_TICK

    def learn(self, count: int, seconds: float) -> None:
        """Learn how long the batches of a tick took, which had so many moves in all."""
        size, each = min(count, self.now), seconds / -(-count // self.now)
        if each > self._quarter:
            self.now = max(SMALLEST_BATCH, size // 2)
        elif each < self._quarter / 2 and size >= self.now:
            self.now = min(self._most, self.now * 2)


def batches_of(items: Sequence[T], size: int, first: int) -> list[Sequence[T]]:
    """Growing from the first to a size: the first of a herd must not wait for a thousand."""
    batches, at, length = list[Sequence[T]](), 0, min(first, size)
    while at < len(items):
        batches.append(items[at : at + length])
        at, length = at + length, min(length * 2, size)
    return batches
