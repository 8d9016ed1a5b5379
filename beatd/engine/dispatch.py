"""How a batch gets through ledger and broker: what the two ways have in common.

`StepDispatch` claims and publishes in two steps, and the tick records; a crash in between leaves
open claims. `AtomicDispatch` is one script where ledger and broker are one Redis: nothing is
unknown.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from beatd.events import Event, Refused, Sent, Skipped
from beatd.leader import Term
from beatd.ledger import Move, OpenClaim, Result
from beatd.publisher import LEAD_LOST

MayGoOn = Callable[[], bool]


class Published(Struct, frozen=True):
    """A batch after its messages: which moves were made, and how each message ended."""

    moves: Sequence[Move]
    made: Sequence[bool]
    results: Sequence[Result] = ()
    unrecorded: Sequence[Result] = ()  # those of `results` that the tick has to record
    seconds: float = 0.0  # from the first message to the last answer

    @property
    def held(self) -> bool:
        """True if some message did not go out, and will have to be sent again."""
        return any(result.outcome.sent in ("unsent", "unknown") for result in self.unrecorded)

    @property
    def doubt(self) -> str:
        """The first reason to think that the broker is away, or nothing.

        A single answer, even a refusal, shows that it is there: one full queue holds back no other.
        A message that was not sent because the lead was lost shows nothing.
        """
        outcomes = [result.outcome for result in self.unrecorded]
        if any(outcome.sent in ("confirmed", "rejected") for outcome in outcomes):
            return ""
        reasons = (outcome.reason or outcome.sent for outcome in outcomes)
        return next((reason for reason in reasons if reason != LEAD_LOST), "")

    def events(self) -> Iterator[Event]:
        pairs = list(zip(self.moves, self.made, strict=True))
        skips = [(move.name, skip) for move, ok in pairs if ok for skip in move.skips]
        if skips:
            yield Skipped(skips)
        refused = [move.name for move, ok in pairs if not ok]
        if refused:
            yield Refused(refused)
        if self.results:
            yield Sent.of(self.results, self.seconds)


class Claimed(Protocol):
    @property
    def left(self) -> Sequence[Move]:
        """Moves that were not tried, as they need a batch of their own."""

    def publish(self, may_go_on: MayGoOn) -> Published:
        """Send the messages of what was claimed, and wait for their outcomes."""


class Dispatch(Protocol):
    atomic: bool  # then its batches overlap on one thread
    first: int  # the best size of a herd's first batch; the others grow from it
    unsent: dict[str, tuple[datetime, int]]  # task id -> when and in which term; see never_sent

    def prepare(self, batches: Sequence[Sequence[Move]], term: Term, at: datetime) -> None:
        """Do ahead what can be done for the batches that are most likely the next, due at `at`."""

    def drop_prepared(self) -> None:
        """Undo `prepare`: other batches come next, or none soon."""

    def claim(self, moves: Sequence[Move], term: Term) -> Claimed:
        """Claim a batch. Raise Deposed or StoreError; then its claims may be open."""

    def write_history(self) -> bool:
        """Write some lines of history that were left for an idle moment. True if there are more."""

    def never_sent(self, claim: OpenClaim) -> bool:
        """True if this process made that very claim and is certain that it did not publish it."""
