"""Claim, publish, record: a batch of moves on its way through ledger and broker.

Two ways. The common one is three steps, and a crash between them leaves open claims. Where ledger
and broker are one Redis it is a single step, and there is nothing to be unsure of.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Protocol, TypeVar

from msgspec import Struct

from beatd.clock import Clock
from beatd.errors import BeatError, Deposed, StoreError
from beatd.events import Observer, Refused, Sent, Skipped
from beatd.leader import Term
from beatd.ledger import AtomicLedger, Ledger, Move, OpenClaim, Result
from beatd.publisher import Outcome, Publisher, Push, RedisPublisher
from beatd.run import Run

FIRST_IN_STEPS = 250  # a claim has a price of its own, mostly the disk's
FIRST_AT_ONCE = 50  # a script has hardly any

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


class Done(Struct, frozen=True):
    """Which moves were made, and what the broker said if it may be away."""

    made: Sequence[bool]
    doubt: str = ""
    held: bool = False  # some message did not go out, and will have to be sent again


class Dispatch(Protocol):
    atomic: bool

    def __call__(
        self, moves: Sequence[Move], term: Term, may_go_on: Callable[[], bool], size: int
    ) -> Done:
        """In batches of a size; before each one the lead is looked at again.

        Raises Deposed or StoreError; then a move was not made, or its claim is open.
        """

    def settle_accounts(self) -> None:
        """Record what could not be recorded when it happened."""

    def never_sent(self, claim: OpenClaim) -> bool:
        """Whether this process made that very claim and is certain that it did not publish it."""


class InSteps:
    """While one batch is published and recorded, the next one is claimed."""

    atomic = False

    def __init__(
        self, *, ledger: Ledger, publisher: Publisher, clock: Clock, tell: Observer
    ) -> None:
        self._ledger, self._publisher, self._clock, self._tell = ledger, publisher, clock, tell
        self._overlap = Overlap()
        self._unrecorded: list[Result] = []
        self._never_sent: dict[str, tuple[datetime, int]] = {}

    def __call__(
        self, moves: Sequence[Move], term: Term, may_go_on: Callable[[], bool], size: int
    ) -> Done:
        def claim(batch: Sequence[Move]) -> tuple[Sequence[bool], list[Run], datetime]:
            if not may_go_on():
                return [False] * len(batch), [], self._clock.now()
            return self._claim(batch, term)

        def publish(claimed: tuple[Sequence[bool], list[Run], datetime]) -> Done:
            made, runs, at = claimed
            outcomes = self._publish(runs, at, may_go_on) if runs else []
            held = any(outcome.sent in ("unsent", "unknown") for outcome in outcomes)
            return Done(made, doubt_in(outcomes), held)

        return joined(self._overlap(batches_of(moves, size, FIRST_IN_STEPS), claim, publish))

    def _claim(
        self, moves: Sequence[Move], term: Term
    ) -> tuple[Sequence[bool], list[Run], datetime]:
        at = self._clock.now()
        try:
            made = self._ledger.claim(moves, term, at)
        except Deposed:
            raise
        except BeatError:
            # The claim may have been made all the same; its publish certainly was not.
            for move in moves:
                if move.run is not None:
                    self._never_sent[move.run.task_id] = at, term.number
            raise
        tell_claimed(moves, made, self._tell)
        runs = [m.run for m, ok in zip(moves, made, strict=True) if ok and m.run is not None]
        if self._never_sent:
            for run in runs:
                self._never_sent.pop(run.task_id, None)
        return made, runs, at

    def _publish(
        self, runs: list[Run], claimed_at: datetime, may_go_on: Callable[[], bool]
    ) -> Sequence[Outcome]:
        started = self._clock.elapsed()
        if may_go_on():
            outcomes = self._publisher.publish(runs, may_go_on)
        else:
            outcomes = [Outcome("unsent", "the lead was lost before publishing")] * len(runs)
        at = self._clock.now()
        results = [
            Result(run, outcome, at, claimed_at)
            for run, outcome in zip(runs, outcomes, strict=True)
        ]
        self._tell(Sent(results, self._clock.elapsed() - started))
        try:
            self._ledger.record(results)
        except StoreError:
            # "Published" is a fact, accepted late: it is told as soon as the store is back.
            self._unrecorded += results
            raise
        return outcomes

    def settle_accounts(self) -> None:
        if self._unrecorded:
            self._ledger.record(self._unrecorded)
            self._unrecorded = []

    def never_sent(self, claim: OpenClaim) -> bool:
        return self._never_sent.get(claim.task_id) == (claim.claimed_at, claim.term)


class AtOnce:
    """While Redis works on one batch, the messages of the next one are made ready."""

    atomic = True

    def __init__(
        self, *, ledger: AtomicLedger, publisher: RedisPublisher, clock: Clock, tell: Observer
    ) -> None:
        self._ledger, self._publisher, self._clock, self._tell = ledger, publisher, clock, tell
        self._overlap = Overlap()
        self._steps = InSteps(ledger=ledger, publisher=publisher, clock=clock, tell=tell)

    def __call__(
        self, moves: Sequence[Move], term: Term, may_go_on: Callable[[], bool], size: int
    ) -> Done:
        # What cannot end in list pushes (an unserialisable message, a fanout, no run at all) takes
        # the steps; everything else goes at once.
        indirect: list[int] = []
        ready: dict[int, Sequence[Push]] = {}
        made = [False] * len(moves)

        def render(places: Sequence[int]) -> Sequence[int]:
            with_run = [place for place in places if moves[place].run is not None]
            runs = [run for place in with_run if (run := moves[place].run) is not None]
            for place, pushes in zip(with_run, self._publisher.pushes(runs), strict=True):
                if not isinstance(pushes, Outcome):
                    ready[place] = pushes
            indirect.extend(place for place in places if place not in ready)
            return [place for place in places if place in ready]

        def push(places: Sequence[int]) -> None:
            if not places or not may_go_on():
                return
            batch = [moves[place] for place in places]
            answers = self._push(batch, [ready.pop(place) for place in places], term)
            for place, answer in zip(places, answers, strict=True):
                made[place] = answer

        self._overlap(batches_of(range(len(moves)), size, FIRST_AT_ONCE), render, push)
        if not indirect:
            return Done(made)
        done = self._steps([moves[place] for place in indirect], term, may_go_on, size)
        for place, ok in zip(indirect, done.made, strict=True):
            made[place] = ok
        return Done(made, done.doubt, done.held)

    def _push(
        self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]], term: Term
    ) -> list[bool]:
        started = self._clock.elapsed()
        outcomes = self._ledger.publish(moves, pushes, term, self._clock.now())
        at = self._clock.now()
        made = [outcome is not None for outcome in outcomes]
        results = [
            Result(move.run, outcome, at)
            for move, outcome in zip(moves, outcomes, strict=True)
            if outcome is not None and move.run is not None
        ]
        tell_claimed(moves, made, self._tell)
        if results:
            self._tell(Sent(results, self._clock.elapsed() - started))
        return made

    def settle_accounts(self) -> None:
        self._steps.settle_accounts()

    def never_sent(self, claim: OpenClaim) -> bool:
        return self._steps.never_sent(claim)


class Overlap:
    """Two stages of work on batches: the first of one runs while the second of the one before does.

    In order, never two of the same stage at once; a single batch takes no second thread.
    """

    def __init__(self) -> None:
        self._second = ThreadPoolExecutor(1, thread_name_prefix="beatd publish")

    def __call__(
        self, batches: Sequence[A], first: Callable[[A], B], second: Callable[[B], C]
    ) -> list[C]:
        done: list[C] = []
        running: Future[C] | None = None
        try:
            for place, batch in enumerate(batches):
                begun = first(batch)
                if running is not None:
                    done.append(running.result())
                    running = None
                if place == len(batches) - 1:
                    done.append(second(begun))
                else:
                    running = self._second.submit(second, begun)
        finally:
            if running is not None:
                wait([running])  # what is under way is finished, whatever the other stage raised
        return done


def batches_of(items: Sequence[T], size: int, first: int) -> list[Sequence[T]]:
    """Growing from the first to a size: whoever is first in a herd must not wait for a thousand."""
    batches: list[Sequence[T]] = []
    at, length = 0, min(first, size)
    while at < len(items):
        batches.append(items[at : at + length])
        at, length = at + length, min(length * 2, size)
    return batches


def joined(parts: Sequence[Done]) -> Done:
    made = [ok for part in parts for ok in part.made]
    doubt = next((part.doubt for part in parts if part.doubt), "")
    return Done(made, doubt, any(part.held for part in parts))


def doubt_in(outcomes: Sequence[Outcome]) -> str:
    """The first reason to think that the broker is away, or nothing.

    A single answer, even a refusal, shows that it is there: one full queue holds back no other.
    """
    if any(outcome.sent in ("confirmed", "rejected") for outcome in outcomes):
        return ""
    return next((outcome.reason or outcome.sent for outcome in outcomes), "")


def tell_claimed(moves: Sequence[Move], made: Sequence[bool], tell: Observer) -> None:
    refused = []
    for move, ok in zip(moves, made, strict=True):
        if not ok:
            refused.append(move.name)
        for skip in move.skips if ok else ():
            tell(Skipped(move.name, skip))
    if refused:
        tell(Refused(refused))
