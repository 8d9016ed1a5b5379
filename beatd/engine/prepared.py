"""Batches that were prepared a few milliseconds before their moment."""

from collections import deque
from collections.abc import Sequence
from operator import is_
from typing import Generic, Protocol, TypeVar

from beatd.clock import Clock
from beatd.ledger import Move

GOOD_FOR_S = 0.1  # a message that expires so long after it is sent says when


class Droppable(Protocol):
    def drop(self) -> None: ...


T = TypeVar("T", bound=Droppable)


class Prepared(Generic[T]):
    """Keeps what was prepared for each batch, in the order in which they will come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept = deque[tuple[Sequence[Move], T]]()
        self._since = 0.0

    def keep(self, batch: Sequence[Move], prepared: T) -> None:
        if not self._kept:
            self._since = self._clock.elapsed()
        self._kept.append((batch, prepared))

    def take(self, batch: Sequence[Move]) -> T | None:
        """Return what was prepared for this batch. None, and all is dropped, for any other one and
        when time has passed."""
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
    """True if these are the very same moves."""
    return len(one) == len(other) and all(map(is_, one, other))
