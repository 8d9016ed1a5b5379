"""Find runs to send besides the scheduled ones: requested runs, and runs to send again."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.clock import Clock
from beatd.dispatch import Published
from beatd.engine.limits import Limits
from beatd.engine.moves import Mover
from beatd.entry import Entry
from beatd.ledger import Ledger, Move, OpenClaim, Result
from beatd.outcome import RunStates
from beatd.overlap import REPLACE_WAIT
from beatd.run import EPOCH
from beatd.unapplied import NOTHING_WAITS, Unapplied

LOOK_EVERY_S = 1.0
READ_AT_ONCE = 100  # open claims, requests, and moments of one request
READ_AT_ONCE_WITH_WAITING = 2000  # while entries wait, whose claims may be the oldest


#: Returns the entry with the arguments of a request, which is given by its id, if it has any.
WithArguments = Callable[[Entry, str], Entry]


def as_it_is(entry: Entry, request: str) -> Entry:
    # The default for `with_arguments`: no request has arguments of its own.
    return entry


class OpenClaims:
    """Finds runs to send besides the scheduled ones: requested runs, and runs to send again.

    A run is sent again if it was reserved for sending but no result was recorded, such as after a
    crash.
    """

    def __init__(
        self,
        ledger: Ledger,
        runs: RunStates,
        clock: Clock,
        limits: Limits,
        ttl: float,
        with_arguments: WithArguments,
    ) -> None:
        self._ledger, self._runs, self._clock = ledger, runs, clock
        self._with_arguments = with_arguments
        self._publish_timeout, self._ttl = limits.publish_timeout, ttl
        self._waiting = NOTHING_WAITS
        self._began_at = clock.elapsed()
        self._looked_at = float("-inf")
        self._must_look = False  # look at the next call: a request may have been added
        self._held_ids: set[str] | None = None  # of claims that wait; None: look at all claims
        self.are_held = self._more_behind = False  # some wait for a run; all that were read do
        self._held = False  # a message of the last moves was not sent, or may not have been
        self._revoked: dict[str, float] = {}  # task id -> `Clock.elapsed`, for a few seconds
        self.arrived: list[Result] = []  # of claims whose message a worker has reported

    def noticed_change(self) -> None:
        """Make the next call of `moves` search the store, because a run may have been requested."""
        self._must_look = True

    def begin(self) -> None:
        """Make the next call of `moves` search the store, because this daemon now leads."""
        self._must_look, self._held = True, False
        self._began_at = self._clock.elapsed()

    def moves(
        self,
        now: datetime,
        mover: Mover,
        never_sent: Callable[[OpenClaim], bool],
        limit: int,
        waiting: Unapplied,
    ) -> list[Move]:
        """Return the changes that send requested runs, and runs that may not have been sent.

        The store is searched about once a second; between the searches the list is empty. The
        caller must record the results in `arrived`, and pass the published batches to `sent`.
        `never_sent` returns True for a run whose message was certainly not sent. `limit` bounds the
        requested runs; entries in `waiting` are left out.
        """
        if waiting != self._waiting:
            self._must_look, self._waiting = True, waiting
        self._at_once = READ_AT_ONCE_WITH_WAITING if waiting or self._more_behind else READ_AT_ONCE
        elapsed = self._clock.elapsed()
        paced = elapsed - self._looked_at >= LOOK_EVERY_S
        self.arrived = []
        if not (self._must_look or paced or self.are_held):
            return []
        self._must_look = self.are_held = False
        if paced or not self._held:  # an unsent message is not tried again at once
            self._looked_at, self._held_ids = elapsed, None
        moves = self._open_claims(now, mover, never_sent)
        return [*moves, *self._requested(now, mover, limit)]

    def sent(self, batches: Sequence[Published]) -> None:
        """Use the result of published batches to decide when `moves` next searches the store."""
        self._held = any(batch.held for batch in batches)
        # There may be more of them, and a full queue must not slow the other requests.
        self._must_look = not self._held or any(
            ok and move.of == "request"
            for batch in batches
            for move, ok in zip(batch.moves, batch.made, strict=True)
        )

    def _open_claims(
        self, now: datetime, mover: Mover, never_sent: Callable[[OpenClaim], bool]
    ) -> list[Move]:
        only, self._held_ids, moves = self._held_ids, set(), list[Move]()
        if only is not None and not only:
            return moves
        found = [
            claim
            for claim in self._ledger.unknowns(self._unknown_before(now), self._at_once)
            if not self._waits(claim.stored) and (only is None or claim.task_id in only)
        ]
        found = [self._claim_with_arguments(claim) for claim in found]
        reported = self._runs.outcomes([claim.task_id for claim in found]) if found else {}
        for claim in found:
            if claim.task_id in reported and claim.stored is not None:
                # It must not be sent again: the worker may be at it.
                self.arrived.append(mover.arrived(claim, claim.stored, now))
                continue
            claim = replace(claim, unsent=claim.unsent or never_sent(claim))
            move = mover.of_claim(claim, claim.unsent, now)
            if move is None:
                self._held_ids.add(claim.task_id)
            else:
                moves.append(move)
        self.are_held |= bool(self._held_ids)
        return moves

    def _claim_with_arguments(self, claim: OpenClaim) -> OpenClaim:
        row = self._row_with_arguments(claim.stored, claim.occurrence.request)
        return claim if row is claim.stored else replace(claim, stored=row)

    def _row_with_arguments(self, row: Stored | None, request: str) -> Stored | None:
        # A requested run may have arguments of its own.
        if row is None or not request:
            return row
        entry = self._with_arguments(row.entry, request)
        return row if entry is row.entry else replace(row, entry=entry)

    def _waits(self, row: Stored | None) -> bool:
        return row is not None and bool(self._waiting) and self._waiting.waits(row.entry)

    def _unknown_before(self, now: datetime) -> datetime:
        # A claim made after this moment may still be published by the daemon that made it.
        age = self._clock.elapsed() - self._began_at
        if age < self._ttl + self._publish_timeout:
            return EPOCH  # no claim: the last leader may still publish for a ttl and a time-out
        return now - timedelta(seconds=self._publish_timeout)

    def _requested(self, now: datetime, mover: Mover, limit: int) -> list[Move]:
        moves = list[Move]()
        counted: Counter[str] = Counter()  # two backlogs of one entry share its `max_runs`
        started = set[str]()  # the other requests of these entries wait for the end of the run
        found = self._ledger.requests(self._at_once)
        for request, row in found:
            if len(moves) >= limit:
                break
            if self._waits(row) or request.name in started:
                continue
            if row is not None and counted[request.name]:
                row = replace(row, runs=row.runs + counted[request.name])
            row = self._row_with_arguments(row, request.id)
            made = list(mover.of_request(request, row, now, READ_AT_ONCE))
            if made and made[0].revokes and self._was_revoked(made[0].revokes):
                made = []
            self.are_held |= not made
            counted[request.name] += sum(move.counts for move in made)
            started.update(move.name for move in made if move.running is not None)
            moves += made
        self._more_behind = not moves and len(found) == self._at_once
        return moves

    def _was_revoked(self, task_id: str) -> bool:
        # If the task was not revoked within the last seconds, it counts as revoked from now on.
        late = self._clock.elapsed() - REPLACE_WAIT.total_seconds()
        self._revoked = {id: at for id, at in self._revoked.items() if at > late}
        if task_id in self._revoked:
            return True
        self._revoked[task_id] = self._clock.elapsed()
        return False
