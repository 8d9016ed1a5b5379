"""The dispatch of a batch: claim its moves in the ledger, and publish their messages to the broker.

`StepDispatch` claims and publishes in two steps, and the tick records the outcomes; a crash in
between leaves open claims. `AtomicDispatch` does all of it in one script where ledger and broker
are the same Redis, so that no outcome is ever unknown.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from beatd.leader import Term
from beatd.ledger import Move, OpenClaim, Result
from beatd.publisher import LEAD_LOST

MayGoOn = Callable[[], bool]


class Published(Struct, frozen=True):
    """The result of publishing a batch of moves (a move is one change of one row of the ledger).

    `made` has for each move True if the ledger accepted it; `results` has the outcome of each
    message.
    """

    moves: Sequence[Move]
    made: Sequence[bool]
    results: Sequence[Result] = ()
    unrecorded: Sequence[Result] = ()  # those of `results` that the tick has to record
    seconds: float = 0.0  # from the first message to the last answer

    @property
    def held(self) -> bool:
        """True if a message was not sent, or may not have been, and must be sent again."""
        return any(result.outcome.sent in ("unsent", "unknown") for result in self.unrecorded)

    @property
    def doubt(self) -> str:
        """The first reason to think that the broker is away, or "".

        One confirmed or rejected message shows that the broker answers, so that one full queue
        holds back no other. A message that was not sent because the lead was lost shows nothing.
        """
        outcomes = [result.outcome for result in self.unrecorded]
        if any(outcome.sent in ("confirmed", "rejected") for outcome in outcomes):
            return ""
        reasons = (outcome.reason or outcome.sent for outcome in outcomes)
        return next((reason for reason in reasons if reason != LEAD_LOST), "")


class Claimed(Protocol):
    """A batch whose moves were claimed and whose messages are not published yet."""

    @property
    def left(self) -> Sequence[Move]:
        """The moves that were not claimed, because they need a batch of their own."""

    def publish(self, may_go_on: MayGoOn) -> Published:
        """Publish the messages of the claimed runs, wait for their outcomes, and return them. Stop
        before the next message when `may_go_on` returns False."""


class Dispatch(Protocol):
    """Claims and publishes batches; how, depends on the kinds of ledger and broker."""

    atomic: bool  # True: one script claims and publishes, and batches overlap on one thread
    first: int  # the best size of the first batch of many due runs; later batches are larger
    unsent: dict[str, tuple[datetime, int]]  # task id -> its claim's (claimed_at, term number)

    def prepare(self, batches: Sequence[Sequence[Move]], term: Term, at: datetime) -> None:
        """Do part of the work for the batches that are most likely claimed next, when they are due
        at `at`. Nothing is claimed or sent yet."""

    def drop_prepared(self) -> None:
        """Discard the batches of `prepare`, because other ones come next or none soon."""

    def claim(self, moves: Sequence[Move], term: Term) -> Claimed:
        """Claim the moves under the term, and return the batch to publish. Raise Deposed or
        StoreError; after a StoreError its claims may be open."""

    def write_history(self) -> bool:
        """Write some lines of history that were left for later; return True if there are more."""

    def never_sent(self, claim: OpenClaim) -> bool:
        """True if this process made exactly this claim (of this time and term) and is certain that
        its message was never published."""
