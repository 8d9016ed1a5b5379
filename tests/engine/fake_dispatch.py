"""A dispatch that sends nothing, and notes what it is asked to claim."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from sys import maxsize

from beatd.dispatch import MayGoOn, Published
from beatd.leader import Term
from beatd.ledger import Move, OpenClaim


class FakeClaimed:
    def __init__(
        self, moves: Sequence[Move], left: Sequence[Move], publishes: Callable[[], None]
    ) -> None:
        self.left = left
        self._moves, self._publishes = moves, publishes

    def publish(self, may_go_on: MayGoOn) -> Published:
        self._publishes()
        return Published(self._moves, [True] * len(self._moves))


class FakeDispatch:
    """Claims at most `room` moves of a batch, and writes nothing to the store.

    `claimed` has the names of each batch, `on_second_thread` where each batch was published.
    """

    first = 1

    def __init__(self, *, atomic: bool = False, room: int = maxsize) -> None:
        self.atomic = atomic
        self.unsent: dict[str, tuple[datetime, int]] = {}
        self.claimed: list[list[str]] = []
        self.on_second_thread: list[bool] = []
        self._room, self._own = room, threading.current_thread()

    def prepare(self, batches: Sequence[Sequence[Move]], term: Term, at: datetime) -> None: ...

    def drop_prepared(self) -> None: ...

    def claim(self, moves: Sequence[Move], term: Term) -> FakeClaimed:
        self.claimed.append([move.name for move in moves])
        return FakeClaimed(moves[: self._room], moves[self._room :], self._publishes)

    def _publishes(self) -> None:
        self.on_second_thread.append(threading.current_thread() is not self._own)

    def write_history(self) -> bool:
        return False

    def never_sent(self, claim: OpenClaim) -> bool:
        return False
