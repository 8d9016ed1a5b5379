"""Reserve a batch of runs and then send it, with any store and any broker."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from beatd.clock import Clock
from beatd.dispatch import MayGoOn, Published
from beatd.dispatches.prepared import Prepared
from beatd.errors import BeatError, Deposed
from beatd.leader import Term
from beatd.ledger import Claims, HeldClaim, Move, OpenClaim, Result
from beatd.publisher import LEAD_LOST, Outcome, Publisher

HOLD_EVERY_S = 0.2  # a writer to the store must not be kept waiting again and again
UNSENT_KEPT = 10_000  # claims that are remembered as never sent

Hold = Callable[[Sequence[Move], Term, datetime], HeldClaim | None]


class StepDispatch:
    """Reserves a batch of runs in the store, and then sends their messages to the broker.

    The caller records the results. `hold`, which some stores have, locks the rows of a batch a few
    milliseconds before it is due.
    """

    atomic = False
    first = 600  # each claim costs a write to the disk, so a batch is large

    def __init__(
        self, *, ledger: Claims, publisher: Publisher, clock: Clock, hold: Hold | None = None
    ) -> None:
        self._ledger, self._publisher, self._clock, self._hold = ledger, publisher, clock, hold
        self._prepared, self._held_at = Prepared[HeldFor](clock), float("-inf")
        self.unsent: dict[str, tuple[datetime, int]] = {}

    def prepare(self, batches: Sequence[Sequence[Move]], term: Term, at: datetime) -> None:
        """Build the messages of the first batch, which is due at `at`; send nothing yet.

        If the store can, also lock the rows of this batch, at most every 0.2 s. Batches prepared
        before are discarded.
        """
        self.drop_prepared()
        if batches:
            runs = [move.run for move in batches[0] if move.run is not None]
            self._publisher.prepare(runs, soon=True)
        elapsed = self._clock.elapsed()
        if self._hold is None or not batches or elapsed - self._held_at < HOLD_EVERY_S:
            return
        self._held_at = elapsed
        held = self._hold(batches[0], term, at)
        if held is not None:
            self._prepared.keep(batches[0], HeldFor(held, at))

    def drop_prepared(self) -> None:
        self._prepared.drop()

    def claim(self, moves: Sequence[Move], term: Term) -> "ClaimedInStep":
        held = self._prepared.take(moves)
        # The age of a claim counts from the moment it was held for.
        at = self._clock.now() if held is None else held.at
        try:
            made = self._ledger.claim(moves, term, at) if held is None else held.claim.make()
        except BeatError as trouble:
            if not isinstance(trouble, Deposed):
                self._remember_unsent(moves, at, term)
            raise
        if self.unsent:
            for move, ok in zip(moves, made, strict=True):
                if ok and move.run is not None:
                    self.unsent.pop(move.run.task_id, None)
        return ClaimedInStep(moves, made, at, self._publisher, self._clock)

    def _remember_unsent(self, moves: Sequence[Move], at: datetime, term: Term) -> None:
        # The ledger may have made the claim, so that only its reply was lost.
        for move in moves:
            if move.run is not None:
                self.unsent[move.run.task_id] = at, term.number
        for forgotten in list(self.unsent)[:-UNSENT_KEPT]:
            del self.unsent[forgotten]

    def write_history(self) -> bool:
        return False

    def never_sent(self, claim: OpenClaim) -> bool:
        return self.unsent.get(claim.task_id) == (claim.claimed_at, claim.term)


class HeldFor(Struct, frozen=True):
    """A batch whose rows are locked in the store until its runs are reserved at the time `at`."""

    claim: HeldClaim
    at: datetime

    def drop(self) -> None:
        self.claim.drop()


class ClaimedInStep(Struct, frozen=True):
    """A batch whose runs were reserved at the time `at`; `publish` sends their messages.

    `made` has True for each change that the store accepted, else False. Only the runs of accepted
    changes are sent.
    """

    moves: Sequence[Move]
    made: Sequence[bool]
    at: datetime
    publisher: Publisher
    clock: Clock
    left: Sequence[Move] = ()

    def publish(self, may_go_on: MayGoOn) -> Published:
        made = [move for move, ok in zip(self.moves, self.made, strict=True) if ok]
        if revoked := [move.revokes for move in made if move.revokes]:
            self.publisher.revoke(revoked)
        sending = [(move, move.run) for move in made if move.run is not None]
        runs = [run for _, run in sending]
        if not runs:
            return Published(self.moves, self.made)
        began = self.clock.elapsed()
        if may_go_on():
            outcomes = self.publisher.publish(runs, may_go_on)
        else:
            outcomes = [Outcome("unsent", LEAD_LOST)] * len(runs)
        now, seconds = self.clock.now(), self.clock.elapsed() - began
        results = [
            Result(run, of_all_attempts(move, outcome), now, self.at)
            for (move, run), outcome in zip(sending, outcomes, strict=True)
        ]
        return Published(self.moves, self.made, results, results, seconds)


def of_all_attempts(move: Move, outcome: Outcome) -> Outcome:
    """Return the outcome of a run from that of its last attempt.

    After an attempt that may have sent the message, or a part of a group, it stays "unknown" if the
    next attempt sends nothing.
    """
    claim = move.open_claim
    if outcome.sent == "unsent" and claim is not None and not claim.unsent:
        return replace(outcome, sent="unknown")
    return outcome
