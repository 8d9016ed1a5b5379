"""Claim, publish and record in one step, where the ledger and the broker are one Redis."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from beatd.clock import Clock
from beatd.engine.dispatch import Done, InSteps, is_same, tell_claimed
from beatd.errors import StoreError
from beatd.events import Observer, Sent
from beatd.leader import Term
from beatd.ledger import AtomicLedger, Move, OpenClaim, Outcomes, Result, Step
from beatd.publisher import Outcome, Push, RedisPublisher

LINES = 100  # of history, written between two looks at what is due
FRESH = 0.05  # seconds: a message that expires so long after it is sent says when


class AtOnce:
    """While Redis works on one batch, the next one is made ready; all on one thread, for two would
    wait for each other's turn longer than for Redis."""

    first = 125  # a script has hardly a price

    def __init__(
        self, *, ledger: AtomicLedger, publisher: RedisPublisher, clock: Clock, tell: Observer
    ) -> None:
        self._ledger, self._publisher, self._clock, self._tell = ledger, publisher, clock, tell
        self._steps = InSteps(ledger=ledger, publisher=publisher, clock=clock, tell=tell)
        self._ready = deque[Packed]()
        self._ready_at = 0.0
        self._unwritten = True  # an earlier leader may have left some
        self.atomic, self.unsent = True, self._steps.unsent

    def __call__(
        self, batches: Iterable[Sequence[Move]], term: Term, may_go_on: Callable[[], bool]
    ) -> Done:
        if not self._still_one():
            return self._steps(batches, term, may_go_on)
        made: list[bool] = []
        indirect: list[dict[int, Move]] = []
        flight: Flight | None = None
        try:
            for batch in batches:
                packed, begins = self._packed(batch), len(made)
                made += [False] * len(batch)
                indirect.append({begins + place: batch[place] for place in packed.rest})
                landed, flight = flight, None
                try:
                    if landed is not None:
                        landed.wait()
                    try:
                        if packed.moves and may_go_on():
                            self._unwritten = True
                            wait = packed.step.begin(term, self._clock.now())
                            flight = Flight(packed, begins, wait, self._clock)
                    finally:
                        if landed is not None:
                            self._note(landed, made)
                finally:
                    if flight is None:
                        packed.step.drop()
        finally:
            if flight is not None:
                flight.wait()
                self._note(flight, made)
        return self._in_steps([rest for rest in indirect if rest], made, term, may_go_on)

    def get_ready(self, batches: Iterable[Sequence[Move]], term: Term, at: datetime) -> None:
        self.drop_ready()
        if self._still_one():
            self._ready.extend(self._pack(batch) for batch in batches)
            for packed in self._ready:
                packed.step.send_ahead()
            self._ready_at = self._clock.elapsed()

    def drop_ready(self) -> None:
        while self._ready:
            self._ready.popleft().step.drop()

    def _packed(self, batch: Sequence[Move]) -> "Packed":
        """As it was made ready, unless something has changed or time has passed since."""
        if self._ready:
            packed = self._ready.popleft()
            fresh = self._clock.elapsed() - self._ready_at < FRESH
            if fresh and is_same(packed.batch, batch):
                return packed
            packed.step.drop()
            self.drop_ready()
        return self._pack(batch)

    def _pack(self, batch: Sequence[Move]) -> "Packed":
        places, pushes, rest = list[int](), list[Sequence[Push]](), list[int]()
        told = iter(self._publisher.pushes([move.run for move in batch if move.run is not None]))
        for place, move in enumerate(batch):
            ends = None if move.run is None else next(told)
            if ends is None or isinstance(ends, Outcome):
                rest.append(place)
            else:
                places.append(place)
                pushes.append(ends)
        moves = [batch[place] for place in places]
        return Packed(batch, places, moves, rest, self._ledger.step(moves, pushes))

    def _still_one(self) -> bool:
        """A name may lead to another server by now: each connection to the broker is asked."""
        if not self._publisher.asked():
            self.atomic = self._publisher.server() == self._ledger.server()
        return self.atomic

    def _in_steps(
        self,
        batches: Sequence[dict[int, Move]],
        made: list[bool],
        term: Term,
        may_go_on: Callable[[], bool],
    ) -> Done:
        if not batches:
            return Done(made)
        done = self._steps((list(batch.values()) for batch in batches), term, may_go_on)
        places = (place for batch in batches for place in batch)
        for place, ok in zip(places, done.made, strict=True):
            made[place] = ok
        return Done(made, done.doubt, done.held)

    def _note(self, landed: "Flight", made: list[bool]) -> None:
        results, ok = list[Result](), list[bool]()
        packed = landed.packed
        for place, move, outcome in zip(packed.places, packed.moves, landed.outcomes, strict=True):
            done = made[landed.begins + place] = outcome is not None
            ok.append(done)
            if outcome is not None and move.run is not None:
                results.append(Result(move.run, outcome, landed.at))
        tell_claimed(packed.moves, ok, self._tell)
        if results:
            self._tell(Sent.of(results, landed.seconds))

    def settle_accounts(self) -> None:
        self._steps.settle_accounts()

    def write_up(self) -> bool:
        try:
            self._unwritten = self._unwritten and self._ledger.write_up(LINES)
            return self._unwritten
        except StoreError:
            return False  # a full Redis takes no line; whether it is away, others find out

    def never_sent(self, claim: OpenClaim) -> bool:
        return self._steps.never_sent(claim)

    def close(self) -> None:
        self._steps.close()


class Packed(Struct):
    """A batch that is ready to go. What of it ends in list pushes goes at once, as a step; the rest
    (no run at all, a fanout, what cannot be serialised) takes the steps."""

    batch: Sequence[Move]
    places: list[int]
    moves: list[Move]
    rest: list[int]
    step: Step


class Flight:
    """A step that was begun; its batch begins somewhere among those of the call."""

    def __init__(self, packed: Packed, begins: int, wait: Outcomes, clock: Clock) -> None:
        self.packed, self.begins, self._wait, self._clock = packed, begins, wait, clock
        self._begun = clock.elapsed()

    def wait(self) -> None:
        self.outcomes = self._wait()
        self.at, self.seconds = self._clock.now(), self._clock.elapsed() - self._begun
