"""Reserve, send and record a batch of runs with one Redis script.

The store and the broker must be on the same Redis server.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from beatd.clock import Clock
from beatd.dispatch import Claimed, MayGoOn, Published
from beatd.dispatches.prepared import Prepared
from beatd.dispatches.step_dispatch import StepDispatch
from beatd.errors import StoreError
from beatd.leader import Term
from beatd.ledger import AtomicLedger, Move, OpenClaim, Result, Step, StepOutcomes
from beatd.publisher import Outcome, Push, RedisPublisher

LINES_AT_ONCE = 100  # of history, written between two looks at what is due


class AtomicDispatch:
    """Reserves, sends and records a batch of runs by one script of Redis.

    This needs store and broker in the same Redis; otherwise a StepDispatch sends the batch in two
    steps. While Redis works on one batch, the same thread packs the next one: two threads would
    wait longer for each other than for Redis.
    """

    first = 125  # a script costs little, so that a first batch may be small

    def __init__(self, *, ledger: AtomicLedger, publisher: RedisPublisher, clock: Clock) -> None:
        self._ledger, self._publisher, self._clock = ledger, publisher, clock
        self._steps = StepDispatch(ledger=ledger, publisher=publisher, clock=clock)
        self._prepared = Prepared[Packed](clock)
        self._under_way: Flight | None = None
        self._unwritten = True  # an earlier leader may have left lines of history
        self.atomic, self.unsent = True, self._steps.unsent

    def prepare(self, batches: Sequence[Sequence[Move]], term: Term, at: datetime) -> None:
        """Send the data of batches that are due soon to Redis, but reserve and publish nothing.

        Batches prepared before are discarded. Nothing is sent if store and broker are not the same
        Redis.
        """
        self.drop_prepared()
        if self._is_still_one():
            for batch in batches:
                packed = self._pack(batch)
                self._prepared.keep(batch, packed)
                packed.step.send_ahead()

    def drop_prepared(self) -> None:
        self._prepared.drop()

    def claim(self, moves: Sequence[Move], term: Term) -> Claimed:
        """Start the script that reserves and sends a batch; do not wait for its reply.

        Changes that the script cannot make are in `left` of the result, and need a batch of their
        own. A batch of only such changes is reserved without a script. Raise StoreError or Deposed
        if that fails, or if the script of the batch before has failed.
        """
        if not self._is_still_one():
            self.drop_prepared()
            return self._steps.claim(moves, term)
        packed = self._prepared.take(moves) or self._pack(moves)
        # No move has a run whose message can be pushed to a list.
        if not packed.moves:
            packed.drop()
            return self._steps.claim(moves, term)
        before, self._under_way = self._under_way, None
        try:
            # The script of the batch before must have ended.
            if before is not None:
                before.land()
            self._unwritten = True
            flight = Flight(packed, packed.step.begin(term, self._clock.now()), self._clock)
        finally:
            packed.drop()  # does nothing once it was begun
        self._under_way = flight
        return flight

    def _pack(self, batch: Sequence[Move]) -> "Packed":
        moves, pushes, left = list[Move](), list[Sequence[Push]](), list[Move]()
        told = iter(self._publisher.pushes([move.run for move in batch if move.run is not None]))
        for move in batch:
            ends = None if move.run is None else next(told)
            if ends is None or isinstance(ends, Outcome):
                # It has no run, or its message cannot be pushed to a list.
                left.append(move)
            else:
                moves.append(move)
                pushes.append(ends)
        return Packed(moves, left, self._ledger.step(moves, pushes))

    def _is_still_one(self) -> bool:
        # Each new connection is checked again: the host name may lead to another server by now.
        if not self._publisher.asked():
            self.atomic = self._publisher.server() == self._ledger.server()
        return self.atomic

    def write_history(self) -> bool:
        try:
            self._unwritten = self._unwritten and self._ledger.write_up(LINES_AT_ONCE)
            return self._unwritten
        except StoreError:
            return False  # a full Redis accepts no line; an absence is found by the next claim

    def never_sent(self, claim: OpenClaim) -> bool:
        return self._steps.never_sent(claim)


class Packed(Struct, frozen=True):
    """A batch of changes, encoded as one Redis script that is ready to be sent.

    `moves` are the changes that the script, `step`, makes. The changes in `left` need another
    batch.
    """

    moves: Sequence[Move]
    left: Sequence[Move]
    step: Step

    def drop(self) -> None:
        self.step.drop()


class Flight:
    """A batch whose script was sent to Redis, and whose reply has not been read yet.

    `publish` waits for the reply and returns the results.
    """

    def __init__(self, packed: Packed, outcomes: StepOutcomes, clock: Clock) -> None:
        self._moves, self.left, self._clock = packed.moves, packed.left, clock
        self._wait: StepOutcomes | None = outcomes
        self._began = clock.elapsed()
        self._landed: tuple[Sequence[Outcome | None], datetime, float] | None = None

    def land(self) -> None:
        """Wait for the reply of the script and keep it; further calls do nothing.

        Raise StoreError or Deposed if the script failed. The results are built later, in `publish`,
        so that the next script can begin at once.
        """
        if self._wait is not None:
            wait, self._wait = self._wait, None
            outcomes = wait()
            self._landed = outcomes, self._clock.now(), self._clock.elapsed() - self._began

    def publish(self, may_go_on: MayGoOn) -> Published:
        """Wait for the reply of the script, and return the result of each message.

        The script itself has sent and recorded the messages. Raise StoreError or Deposed if it
        failed.
        """
        self.land()
        if self._landed is None:
            raise StoreError("the script of this batch has failed")
        outcomes, at, seconds = self._landed
        results = [
            Result(move.run, outcome, at)
            for move, outcome in zip(self._moves, outcomes, strict=True)
            if outcome is not None and move.run is not None
        ]
        made = [outcome is not None for outcome in outcomes]
        return Published(self._moves, made, results, (), seconds)
