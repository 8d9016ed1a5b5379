"""Keep objects that were prepared for the next batches, a few milliseconds before they are due."""

from collections import deque
from collections.abc import Sequence
from operator import is_
from typing import Generic, Protocol, TypeVar

from beatd.clock import Clock
from beatd.ledger import Move

GOOD_FOR_S = 0.1  # a prepared message counts its eta and expiry from its preparation


class Droppable(Protocol):
    """An object whose method `drop` frees its resources if the object is not used."""

    def drop(self) -> None: ...


T = TypeVar("T", bound=Droppable)


class Prepared(Generic[T]):
    """A queue of objects prepared for the next batches, one for each batch."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept = deque[tuple[Sequence[Move], T]]()
        self._since = 0.0

    def keep(self, batch: Sequence[Move], prepared: T) -> None:
        if not self._kept:
            self._since = self._clock.elapsed()
        self._kept.append((batch, prepared))

    def take(self, batch: Sequence[Move]) -> T | None:
        """Remove and return the object that was prepared for this batch.

        If the first object is for another batch or older than 0.1 s, drop all objects and return
        None.
        """
        if not self._kept:
            return None
        kept, prepared = self._kept[0]
        if self._clock.elapsed() - self._since < GOOD_FOR_S and is_same(kept, batch):
            self._kept.popleft()
            return prepared
        self.drop()
        return None

    def drop(self) -> None:
        while self._kept:
            self._kept.popleft()[1].drop()


def is_same(one: Sequence[Move], other: Sequence[Move]) -> bool:
    """Return True if both batches contain the same Move objects, by identity, in the same order."""
    return len(one) == len(other) and all(map(is_, one, other))
