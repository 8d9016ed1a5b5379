"""Claims whose outcome is unknown, and runs that were requested: both lie beside the plan."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.clock import Clock
from beatd.engine.dispatch import Published
from beatd.engine.moves import Mover
from beatd.engine.unapplied import NOTHING_WAITS, Unapplied
from beatd.ledger import Ledger, Move, OpenClaim
from beatd.run import EPOCH

LOOK_EVERY_S = 1.0
READ_AT_ONCE = 100  # open claims, requests, and moments of one request
READ_AT_ONCE_WITH_WAITING = 2000  # where some wait: they may lie before those that do not


class OpenClaims:
    """Claims that nobody recorded, and requests. What is due now never waits for them."""

    def __init__(self, ledger: Ledger, *, clock: Clock, publish_timeout: float, ttl: float) -> None:
        self._ledger, self._clock = ledger, clock
        self._publish_timeout, self._ttl = publish_timeout, ttl
        self._waiting = NOTHING_WAITS
        self._began_at = clock.elapsed()
        self._looked_at = float("-inf")
        self._asked = False  # something was asked for since
        self._held = False  # some of it did not go out

    def noticed_change(self) -> None:
        """Something may have been asked for: there is no waiting for the next look."""
        self._asked = True

    def begin(self) -> None:
        """Under a new term what the last one left is looked at without delay."""
        self._asked, self._held = True, False
        self._began_at = self._clock.elapsed()

    def moves(
        self,
        now: datetime,
        mover: Mover,
        never_sent: Callable[[OpenClaim], bool],
        limit: int,
        waiting: Unapplied = NOTHING_WAITS,
    ) -> list[Move]:
        """Return what may be done now; call `sent` with what became of it."""
        if waiting != self._waiting:
            self._asked, self._waiting = True, waiting
        elapsed = self._clock.elapsed()
        paced = elapsed - self._looked_at >= LOOK_EVERY_S
        if not self._asked and not paced:
            return []
        self._asked = False
        moves: list[Move] = []
        if paced or not self._held:  # what did not go out is not tried again at once
            self._looked_at = elapsed
            moves += self._open_claims(now, mover, never_sent)
        return [*moves, *self._requested(now, mover, limit)]

    def sent(self, batches: Sequence[Published]) -> None:
        """Note what became of the moves that were returned last."""
        self._held = any(batch.held for batch in batches)
        # There may be more, and a full queue does not slow the others.
        self._asked = not self._held or any(
            ok and move.of == "request"
            for batch in batches
            for move, ok in zip(batch.moves, batch.made, strict=True)
        )

    def _open_claims(
        self, now: datetime, mover: Mover, never_sent: Callable[[OpenClaim], bool]
    ) -> list[Move]:
        return [
            mover.again(claim, claim.unsent or never_sent(claim), now)
            for claim in self._ledger.unknowns(self._unknown_before(now), self._at_once)
            if not self._waits(claim.stored)
        ]

    @property
    def _at_once(self) -> int:
        return READ_AT_ONCE_WITH_WAITING if self._waiting else READ_AT_ONCE

    def _waits(self, row: Stored | None) -> bool:
        return row is not None and bool(self._waiting) and self._waiting.waits(row.entry)

    def _unknown_before(self, now: datetime) -> datetime:
        """Claims made before that are nobody's any more: none at all while a term is young.

        Whoever led before may have begun to publish as long as it trusted its lease, up to a ttl
        into our term, and is at it for a publish time-out. How old its claims are does not tell:
        that counts from the request, which may have been slow, and by a clock that may be wrong.
        """
        age = self._clock.elapsed() - self._began_at
        if age < self._ttl + self._publish_timeout:
            return EPOCH
        return now - timedelta(seconds=self._publish_timeout)

    def _requested(self, now: datetime, mover: Mover, limit: int) -> list[Move]:
        moves = list[Move]()
        counted: Counter[str] = Counter()  # two backlogs of one entry share its `max_runs`
        for request, row in self._ledger.requests(self._at_once):
            if len(moves) >= limit:
                break
            if self._waits(row):
                continue
            if row is not None and counted[request.name]:
                row = replace(row, runs=row.runs + counted[request.name])
            asked = list(mover.asked(request, row, now, READ_AT_ONCE))
            counted[request.name] += sum(move.counts for move in asked)
            moves += asked
        return moves
