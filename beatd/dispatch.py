"""Claim, publish, record: a batch of moves on its way through ledger and broker.

Two ways. The common one is in three steps, and a crash between them leaves open claims. Where
ledger and broker are one Redis it is a single one, `at_once`, and there is nothing to be unsure of.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Protocol, TypeVar

from msgspec import Struct

from beatd.clock import Clock
from beatd.errors import BeatError, Deposed, StoreError
from beatd.events import Observer, Refused, Sent, Skipped
from beatd.leader import Term
from beatd.ledger import Ledger, Move, OpenClaim, Result
from beatd.publisher import Outcome, Publisher
from beatd.run import Run, Skip

NEVER_SENT = 10_000  # claims of which that is remembered

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
    first: int  # the best size of a herd's first batch; the others grow from it
    unsent: dict[str, tuple[datetime, int]]  # task id -> when and in which term; see never_sent

    def __call__(
        self, batches: Iterable[Sequence[Move]], term: Term, may_go_on: Callable[[], bool]
    ) -> Done:
        """One after the other; before each the lead is looked at again, and the next one is asked
        for while the broker works on it.

        Raises Deposed or StoreError; then a move was not made, or its claim is open.
        """

    def get_ready(self, batches: Iterable[Sequence[Move]]) -> None:
        """These are most likely the first of the next call, in a few milliseconds."""

    def settle_accounts(self) -> None:
        """Record what could not be recorded when it happened."""

    def write_up(self) -> bool:
        """In an idle moment: some of the history that was left for one; whether there is more."""

    def never_sent(self, claim: OpenClaim) -> bool:
        """Whether this process made that very claim and is certain that it did not publish it."""


class InSteps:
    """While one batch is published and recorded, the next one is claimed."""

    atomic = False
    first = 250  # a claim has a price of its own, mostly the disk's

    def __init__(
        self, *, ledger: Ledger, publisher: Publisher, clock: Clock, tell: Observer
    ) -> None:
        self._ledger, self._publisher, self._clock, self._tell = ledger, publisher, clock, tell
        self._overlap = Overlap()
        self._unrecorded: list[Result] = []
        self.unsent: dict[str, tuple[datetime, int]] = {}

    def __call__(
        self, batches: Iterable[Sequence[Move]], term: Term, may_go_on: Callable[[], bool]
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

        return joined(self._overlap(batches, claim, publish))

    def get_ready(self, batches: Iterable[Sequence[Move]]) -> None:
        """Nothing: a claim is made of rows as they are then, and its messages of what it won."""

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
                    self.unsent[move.run.task_id] = at, term.number
            for forgotten in list(self.unsent)[:-NEVER_SENT]:
                del self.unsent[forgotten]
            raise
        tell_claimed(moves, made, self._tell)
        runs = [m.run for m, ok in zip(moves, made, strict=True) if ok and m.run is not None]
        if self.unsent:
            for run in runs:
                self.unsent.pop(run.task_id, None)
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
        self._tell(Sent.of(results, self._clock.elapsed() - started))
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

    def write_up(self) -> bool:
        return False

    def never_sent(self, claim: OpenClaim) -> bool:
        return self.unsent.get(claim.task_id) == (claim.claimed_at, claim.term)


class Overlap:
    """Two stages of work on batches: the first of one runs while the second of the one before does.

    In order, never two of the same stage at once; the last batch takes no second thread.
    """

    def __init__(self) -> None:
        self._second = ThreadPoolExecutor(1, thread_name_prefix="beatd publish")

    def __call__(
        self, batches: Iterable[A], first: Callable[[A], B], second: Callable[[B], C]
    ) -> list[C]:
        done: list[C] = []
        running: Future[C] | None = None
        rest = iter(batches)
        batch = next(rest, None)
        try:
            while batch is not None:
                begun = first(batch)
                batch = next(rest, None)
                if running is not None:
                    done.append(running.result())
                    running = None
                if batch is None:
                    done.append(second(begun))
                else:
                    running = self._second.submit(second, begun)
        finally:
            if running is not None:
                wait([running])  # what is under way is finished, whatever the other stage raised
        return done


def batches_of(items: Sequence[T], size: int, first: int) -> Iterator[Sequence[T]]:
    """Growing from the first to a size: whoever is first in a herd must not wait for a thousand."""
    at, length = 0, min(first, size)
    while at < len(items):
        yield items[at : at + length]
        at, length = at + length, min(length * 2, size)


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
    refused, skips = list[str](), list[tuple[str, Skip]]()
    for move, ok in zip(moves, made, strict=True):
        if not ok:
            refused.append(move.name)
        elif move.skips:
            skips += ((move.name, skip) for skip in move.skips)
    if skips:
        tell(Skipped(skips))
    if refused:
        tell(Refused(refused))
