"""A store in memory that claims, publishes and records in one step, as a Redis store does.

The simulator runs on it, and tests/stores/model/ compares its steps with those of Redis.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from beatd.leader import Term
from beatd.ledger import Move, Result
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run
from beatd.stores.embedded.memory import MemoryStore

Push = Callable[[Run], Outcome]


class OneStepStore(MemoryStore):
    def step(
        self, moves: Sequence[Move], push: Push, term: Term, at: datetime
    ) -> Sequence[Outcome | None]:
        """Claim, push and record as one; done again, nothing happens and the answer is the same."""
        self.claim([], term, at)  # an old term is refused even if there is nothing to claim
        outcomes = list[Outcome | None]()
        for move in moves:
            assert move.run is not None, "what has no run is not pushed"
            (made,) = self.claim([move], term, at)
            if made:
                outcome = push(move.run)
                self.record([Result(move.run, outcome, at, at)])
                outcomes.append(outcome)
            else:
                outcomes.append(self._ended(move.run.occurrence))
        return outcomes

    def write_up(self, limit: int) -> bool:
        return False

    def _ended(self, occurrence: Occurrence) -> Outcome | None:
        number = self._tables.line_of.get(occurrence)
        if number is None:
            return None
        record = self._tables.lines[number].record
        if record.state == "published":
            return Outcome("confirmed")
        return Outcome("rejected", record.reason) if record.state == "failed" else None
