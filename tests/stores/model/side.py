"""One of the two stores that are compared, with what its caller remembers."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from beatd.catalog import Query, Stored
from beatd.errors import Deposed
from beatd.leader import Term
from beatd.ledger import Move
from beatd.publisher import Push
from beatd.run import Run
from tests.simulation.one_step import OneStepStore
from tests.stores.making import at

NAMES = ("a", "B", "b", "ç 🐝")
QUEUES = ("queue", "other queue", "no queue")  # the last is a text, which refuses each message


class Side:
    """A store, its leaders, and the runs that were claimed in it.

    A step draws the same dice on both sides, so it does the same as long as the stores are equal.
    """

    def __init__(self, store: Any, abilities: frozenset[str]) -> None:
        self.store, self.abilities = store, abilities
        self.terms: list[Term] = []
        self.sent: list[tuple[Run, datetime]] = []  # and when each was claimed
        self.batches: list[tuple[list[Move], list[list[Push]]]] = []  # of steps on one Redis
        self.queues: dict[str, list[bytes]] = {name: [] for name in QUEUES}  # of the model
        self.forgotten = at(0)  # older reports of workers may be gone
        self.reported: dict[str, datetime] = {}  # the oldest moment in the reports of each task id
        self.now, self._number, self._moments = 0, 0, 0

    def begin_call(self, number: int, now: int) -> None:
        self._number, self.now, self._moments = number, now, 0

    def moment(self, dice: random.Random, least: int, most: int) -> datetime:
        """Near now, and never the same twice: the engine plans no moment again that ran."""
        self._moments += 1
        ahead = self.now + dice.randint(least, most)
        return at(ahead) + timedelta(microseconds=100 * self._number + self._moments)

    def row(self, name: str) -> Stored | None:
        return next(iter(self.store.find(Query(names=(name,)))), None)

    def some_row(self, dice: random.Random) -> Stored | None:
        return self.row(dice.choice(NAMES))

    def term(self, dice: random.Random) -> Term:
        """Return the newest term, or now and then an older one."""
        return self.terms[-2 if dice.random() < 0.1 and len(self.terms) > 1 else -1]

    def claim(self, moves: list[Move], dice: random.Random) -> Any:
        """Claim, and remember the runs; where a store can, now and then hold them first."""
        term, when, how = self.term(dice), at(self.now), dice.random()
        made = unless_deposed(lambda: self._claim(moves, term, when, how))
        if made != "deposed":
            self.remember([move for move, ok in zip(moves, made, strict=True) if ok])
        return made

    def _claim(self, moves: list[Move], term: Term, when: datetime, how: float) -> Any:
        if how < 0.4 and hasattr(self.store, "hold"):
            held = self.store.hold(moves, term, when)
            if held is not None and how < 0.1:
                held.drop()
            elif held is not None:
                return list(held.make())
        return list(self.store.claim(moves, term, when))

    def queue_key(self, queue: str) -> str:
        return str(self.store._scripts.key(f"test:{queue}"))

    def queue(self, name: str) -> list[bytes]:
        """Return the messages of a queue, the newest first."""
        if isinstance(self.store, OneStepStore):
            return self.queues[name][::-1]
        return list(self.store._server.client.lrange(self.queue_key(name), 0, -1))

    def remember(self, moves: list[Move]) -> None:
        self.sent += [(move.run, at(self.now)) for move in moves if move.run is not None]


def unless_deposed(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Deposed:
        return "deposed"


def without_revision(row: Stored | None) -> Any:
    """Each store numbers revisions in its own way."""
    return None if row is None else replace(row, revision=0)
