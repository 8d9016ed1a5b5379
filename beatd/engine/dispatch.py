"""Claim, publish, record: a batch of moves on its way through ledger and broker.

Two ways. The common one is in three steps, and a crash between them leaves open claims. Where
ledger and broker are one Redis it is a single one, `at_once`, and there is nothing to be unsure of.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from operator import is_
from typing import Protocol, TypeVar

from msgspec import Struct

from beatd.clock import Clock
from beatd.errors import BeatError, Deposed, StoreError
from beatd.events import Observer, Refused, Sent, Skipped
from beatd.leader import Term
from beatd.ledger import Claims, HeldClaim, Move, OpenClaim, Result
from beatd.publisher import LEAD_LOST, HeldMessages, Outcome, Publisher
from beatd.run import Run, Skip

FRESH = timedelta(milliseconds=100)
HOLD_AGAIN = 0.2  # seconds: who writes to the store must not be kept waiting again and again
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

    def get_ready(self, batches: Iterable[Sequence[Move]], term: Term, at: datetime) -> None:
        """These are most likely the first of the next call, in a few milliseconds, at `at`."""

    def drop_ready(self) -> None:
        """The next call is none of that, or may be far."""

    def settle_accounts(self) -> None:
        """Record what could not be recorded when it happened."""

    def write_up(self) -> bool:
        """In an idle moment: some of the history that was left for one; whether there is more."""

    def never_sent(self, claim: OpenClaim) -> bool:
        """Whether this process made that very claim and is certain that it did not publish it."""

    def close(self) -> None:
        """End its threads."""


class InSteps:
    """While one batch is published and recorded, the next one is claimed."""

    atomic = False
    first = 600  # a claim has a price of its own, mostly the disk's

    def __init__(
        self, *, ledger: Claims, publisher: Publisher, clock: Clock, tell: Observer
    ) -> None:
        self._ledger, self._publisher, self._clock, self._tell = ledger, publisher, clock, tell
        self._overlap = Overlap()
        self._unrecorded: list[Result] = []
        self._ready, self._held_at = Ready(), float("-inf")
        self.unsent: dict[str, tuple[datetime, int]] = {}

    def __call__(
        self, batches: Iterable[Sequence[Move]], term: Term, may_go_on: Callable[[], bool]
    ) -> Done:
        def claim(batch: Sequence[Move]) -> Claimed:
            ready = self._taken_ready(batch)
            if not may_go_on():
                ready.drop()
                return Claimed([False] * len(batch), [], self._clock.now())
            claimed = self._claim(batch, term, ready)
            if ready.messages is not None:
                # At once: the other thread might not have its turn soon.
                claimed.published = self._publish(claimed.runs, ready.messages, may_go_on)
            return claimed

        def publish(claimed: Claimed) -> Done:
            published = claimed.published
            if published is None:
                published = self._publish(claimed.runs, None, may_go_on)
            self._record(claimed, published)
            held = any(outcome.sent in ("unsent", "unknown") for outcome in published.outcomes)
            return Done(claimed.made, doubt_in(published.outcomes), held)

        return joined(self._overlap(batches, claim, publish))

    def get_ready(self, batches: Iterable[Sequence[Move]], term: Term, at: datetime) -> None:
        """All of the first batch but the commit of its claim and the last word of its messages."""
        self.drop_ready()
        batch, elapsed = next(iter(batches), None), self._clock.elapsed()
        if batch is None or elapsed - self._held_at < HOLD_AGAIN:
            return
        self._held_at = elapsed
        ready = Ready(batch, at)
        runs = [move.run for move in batch if move.run is not None]
        ready.messages = self._publisher.hold(runs) if runs else None
        try:
            ready.claim = self._ledger.hold(batch, term, at)
        except BaseException:
            ready.drop()
            raise
        self._ready = ready

    def drop_ready(self) -> None:
        self._taken_ready(()).drop()

    def _taken_ready(self, batch: Sequence[Move]) -> "Ready":
        """What was made ready, or, where that is not for this batch, nothing."""
        ready, self._ready = self._ready, Ready()
        # The age of a claim counts from the moment it was made ready for.
        fresh = ready.at is not None and self._clock.now() - ready.at < FRESH
        if fresh and is_same(ready.batch, batch):
            return ready
        ready.drop()
        return Ready()

    def _claim(self, moves: Sequence[Move], term: Term, ready: "Ready") -> "Claimed":
        at = ready.at or self._clock.now()
        try:
            claim, ready.claim = ready.claim, None
            made = self._ledger.claim(moves, term, at) if claim is None else claim.make()
        except BeatError as trouble:
            ready.drop()
            if not isinstance(trouble, Deposed):
                self._remember_unsent(moves, at, term)
            raise
        tell_claimed(moves, made, self._tell)
        runs = [m.run for m, ok in zip(moves, made, strict=True) if ok and m.run is not None]
        if self.unsent:
            for run in runs:
                self.unsent.pop(run.task_id, None)
        if ready.messages is not None and not all(made):
            ready.messages.drop()
            ready.messages = None
        return Claimed(made, runs, at)

    def _remember_unsent(self, moves: Sequence[Move], at: datetime, term: Term) -> None:
        """The claim may have been made all the same; its publish certainly was not."""
        for move in moves:
            if move.run is not None:
                self.unsent[move.run.task_id] = at, term.number
        for forgotten in list(self.unsent)[:-NEVER_SENT]:
            del self.unsent[forgotten]

    def _publish(
        self, runs: Sequence[Run], messages: HeldMessages | None, may_go_on: Callable[[], bool]
    ) -> "Published":
        started = self._clock.elapsed()
        outcomes: Sequence[Outcome]
        if not runs:
            outcomes = []
        elif not may_go_on():
            if messages is not None:
                messages.drop()
            outcomes = [Outcome("unsent", LEAD_LOST)] * len(runs)
        elif messages is not None:
            outcomes = messages.send(may_go_on)
        else:
            outcomes = self._publisher.publish(runs, may_go_on)
        return Published(outcomes, self._clock.now(), self._clock.elapsed() - started)

    def _record(self, claimed: "Claimed", published: "Published") -> None:
        if not claimed.runs:
            return
        results = [
            Result(run, outcome, published.at, claimed.at)
            for run, outcome in zip(claimed.runs, published.outcomes, strict=True)
        ]
        self._tell(Sent.of(results, published.seconds))
        try:
            self._ledger.record(results)
        except StoreError:
            # "Published" is a fact, accepted late: it is told as soon as the store is back.
            self._unrecorded += results
            raise

    def settle_accounts(self) -> None:
        if self._unrecorded:
            self.drop_ready()
            self._ledger.record(self._unrecorded)
            self._unrecorded = []

    def write_up(self) -> bool:
        return False

    def never_sent(self, claim: OpenClaim) -> bool:
        return self.unsent.get(claim.task_id) == (claim.claimed_at, claim.term)

    def close(self) -> None:
        self._overlap.close()


class Ready(Struct):
    """A batch that was made ready, up to the commit and to the last word."""

    batch: Sequence[Move] = ()
    at: datetime | None = None
    claim: HeldClaim | None = None
    messages: HeldMessages | None = None

    def drop(self) -> None:
        for held in (self.claim, self.messages):
            if held is not None:
                held.drop()


class Published(Struct, frozen=True):
    outcomes: Sequence[Outcome]
    at: datetime
    seconds: float


class Claimed(Struct):
    made: Sequence[bool]
    runs: Sequence[Run]
    at: datetime
    published: Published | None = None  # where its messages were ready


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

    def close(self) -> None:
        self._second.shutdown(wait=False)


def batches_of(items: Sequence[T], size: int, first: int) -> Iterator[Sequence[T]]:
    """Growing from the first to a size: whoever is first in a herd must not wait for a thousand."""
    at, length = 0, min(first, size)
    while at < len(items):
        yield items[at : at + length]
        at, length = at + length, min(length * 2, size)


def is_same(one: Sequence[Move], other: Sequence[Move]) -> bool:
    """The very same moves."""
    return len(one) == len(other) and all(map(is_, one, other))


def joined(parts: Sequence[Done]) -> Done:
    made = [ok for part in parts for ok in part.made]
    doubt = next((part.doubt for part in parts if part.doubt), "")
    return Done(made, doubt, any(part.held for part in parts))


def doubt_in(outcomes: Sequence[Outcome]) -> str:
    """The first reason to think that the broker is away, or nothing.

    A single answer, even a refusal, shows that it is there: one full queue holds back no other. A
    message that was not sent because the lead was lost shows nothing.
    """
    if any(outcome.sent in ("confirmed", "rejected") for outcome in outcomes):
        return ""
    reasons = (outcome.reason or outcome.sent for outcome in outcomes)
    return next((reason for reason in reasons if reason != LEAD_LOST), "")


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
