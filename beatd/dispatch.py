"""Claim, publish, record: a batch of moves on its way through ledger and broker.

Two ways. The common one is three steps, and a crash between them leaves open claims. Where ledger
and broker are one Redis it is a single step, and there is nothing to be unsure of.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from beatd.clock import Clock
from beatd.errors import BeatError, Deposed, StoreError
from beatd.events import Observer, Refused, Sent, Skipped
from beatd.leader import Term
from beatd.ledger import AtomicLedger, Ledger, Move, Result
from beatd.publisher import Outcome, Publisher, RedisPublisher


class Done(Struct, frozen=True):
    """Which moves were made, and what the broker said if it may be away."""

    made: Sequence[bool]
    doubt: str = ""


class Dispatch(Protocol):
    atomic: bool

    def __call__(self, moves: Sequence[Move], term: Term, may_go_on: Callable[[], bool]) -> Done:
        """Raises Deposed or StoreError; then no move was made, or its claim is open."""

    def settle_accounts(self) -> None:
        """Record what could not be recorded when it happened."""

    def never_sent(self, task_id: str) -> bool:
        """Whether this process claimed that run and is certain that it did not publish it."""


class InSteps:
    atomic = False

    def __init__(
        self, *, ledger: Ledger, publisher: Publisher, clock: Clock, tell: Observer
    ) -> None:
        self._ledger, self._publisher, self._clock, self._tell = ledger, publisher, clock, tell
        self._unrecorded: list[Result] = []
        self._never_sent: set[str] = set()

    def __call__(self, moves: Sequence[Move], term: Term, may_go_on: Callable[[], bool]) -> Done:
        runs = [move.run for move in moves if move.run is not None]
        try:
            made = self._ledger.claim(moves, term, self._clock.now())
        except Deposed:
            raise
        except BeatError:
            # The claim may have been made all the same; its publish certainly was not.
            self._never_sent.update(run.task_id for run in runs)
            raise
        tell_claimed(moves, made, self._tell)
        runs = [m.run for m, ok in zip(moves, made, strict=True) if ok and m.run is not None]
        if runs:
            started = self._clock.elapsed()
            if may_go_on():
                outcomes = self._publisher.publish(runs, may_go_on)
            else:
                outcomes = [Outcome("unsent", "the lead was lost before publishing")] * len(runs)
            at = self._clock.now()
            results = [Result(run, out, at) for run, out in zip(runs, outcomes, strict=True)]
            self._record(results)
            self._tell(Sent(results, self._clock.elapsed() - started))
            return Done(made, doubt_in(outcomes))
        return Done(made)

    def _record(self, results: list[Result]) -> None:
        try:
            self._ledger.record(results)
        except StoreError:
            # "Published" is a fact, accepted late: it is told as soon as the store is back.
            self._unrecorded += results
            raise

    def settle_accounts(self) -> None:
        if self._unrecorded:
            self._ledger.record(self._unrecorded)
            self._unrecorded = []

    def never_sent(self, task_id: str) -> bool:
        return task_id in self._never_sent


class AtOnce:
    atomic = True

    def __init__(
        self, *, ledger: AtomicLedger, publisher: RedisPublisher, clock: Clock, tell: Observer
    ) -> None:
        self._ledger, self._publisher, self._clock, self._tell = ledger, publisher, clock, tell
        self._steps = InSteps(ledger=ledger, publisher=publisher, clock=clock, tell=tell)

    def __call__(self, moves: Sequence[Move], term: Term, may_go_on: Callable[[], bool]) -> Done:
        # What cannot end in list pushes (an unserialisable message, a fanout, no run at all) takes
        # the steps; everything else goes at once.
        rendered = self._publisher.pushes([m.run for m in moves if m.run is not None])
        pushes = iter(rendered)
        direct, indirect = [], []
        for place, move in enumerate(moves):
            push = next(pushes) if move.run is not None else None
            if push is None or isinstance(push, Outcome):
                indirect.append(place)
            else:
                direct.append((place, push))
        made = [False] * len(moves)
        if direct:
            started = self._clock.elapsed()
            sent = [moves[place] for place, _ in direct]
            outcomes = self._ledger.publish(
                sent, [push for _, push in direct], term, self._clock.now()
            )
            at = self._clock.now()
            results = []
            for (place, _), move, outcome in zip(direct, sent, outcomes, strict=True):
                made[place] = outcome is not None
                if outcome is not None and move.run is not None:
                    results.append(Result(move.run, outcome, at))
            tell_claimed(sent, [made[place] for place, _ in direct], self._tell)
            if results:
                self._tell(Sent(results, self._clock.elapsed() - started))
        if not indirect:
            return Done(made)
        done = self._steps([moves[place] for place in indirect], term, may_go_on)
        for place, ok in zip(indirect, done.made, strict=True):
            made[place] = ok
        return Done(made, done.doubt)

    def settle_accounts(self) -> None:
        self._steps.settle_accounts()

    def never_sent(self, task_id: str) -> bool:
        return self._steps.never_sent(task_id)


def doubt_in(outcomes: Sequence[Outcome]) -> str:
    """The first reason to think that the broker is away, or nothing."""
    return next((o.reason or o.sent for o in outcomes if o.sent in ("unsent", "unknown")), "")


def tell_claimed(moves: Sequence[Move], made: Sequence[bool], tell: Observer) -> None:
    refused = []
    for move, ok in zip(moves, made, strict=True):
        if not ok:
            refused.append(move.name)
        for skip in move.skips if ok else ():
            tell(Skipped(move.name, skip))
    if refused:
        tell(Refused(refused))
