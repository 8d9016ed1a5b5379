"""The dispatch of a batch: claim its moves in the ledger, and publish their messages.

A move is one change of one row of the ledger. A claim makes the moves, and so reserves their runs
for this leader. `StepDispatch` claims and publishes in two steps, and the tick records the
outcomes. A crash between the steps leaves open claims (claimed, not recorded). `AtomicDispatch`
does all of this in one script where ledger and broker are the same Redis, so that no outcome is
ever unknown.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from beatd.leader import Term
from beatd.ledger import Move, OpenClaim, Result
from beatd.publisher import LEAD_LOST, MESSAGE_REFUSED

MayGoOn = Callable[[], bool]


class Published(Struct, frozen=True):
    """The result of publishing a batch of moves (a move is one change of one row of the ledger).

    `made` contains True for each move that the ledger accepted, and False for each that it refused.
    `results` contains the outcome of each message.
    """

    moves: Sequence[Move]
    made: Sequence[bool]
    results: Sequence[Result] = ()
    unrecorded: Sequence[Result] = ()  # those of `results` that the tick has to record
    seconds: float = 0.0  # from the first message to the last answer

    @property
    def held(self) -> bool:
        """True if a message of the batch was not sent, or if it is unknown whether it was sent."""
        return any(result.outcome.sent in ("unsent", "unknown") for result in self.unrecorded)

    @property
    def doubt(self) -> str:
        """The first reason in the outcomes to think that the broker is away, or "" if there is
        none.

        One message that was confirmed, rejected or refused shows that the broker answers: the
        result is "" then, so that one full queue does not stop the other queues. A message that was
        not sent because the lead was lost is ignored.
        """
        outcomes = [result.outcome for result in self.unrecorded]
        if any(
            outcome.sent in ("confirmed", "rejected") or outcome.reason == MESSAGE_REFUSED
            for outcome in outcomes
        ):
            return ""
        reasons = (outcome.reason or outcome.sent for outcome in outcomes)
        return next((reason for reason in reasons if reason != LEAD_LOST), "")


class Claimed(Protocol):
    """A batch whose moves the ledger has claimed for this leader, before its messages are
    published."""

    @property
    def left(self) -> Sequence[Move]:
        """The moves that were not claimed, because they need a batch of their own."""

    def publish(self, may_go_on: MayGoOn) -> Published:
        """Publish the messages of the claimed runs, wait for their outcomes, and return them.

        It also tells the workers to end the running runs that the moves name in `revokes`.
        `may_go_on` returns False when this daemon must not send any further message. A claim that
        is one script with its messages may raise StoreError here.
        """


class Dispatch(Protocol):
    """Claims batches of moves in the ledger, and publishes their messages.

    The implementation depends on the kinds of ledger and broker. A move is one change of one row of
    the ledger.
    """

    atomic: bool  # True: one script claims and publishes, and batches overlap on one thread
    first: int  # the best size of the first batch of many due runs; later batches are larger
    unsent: dict[str, tuple[datetime, int]]  # task id -> its claim's (claimed_at, term number)

    def prepare(self, batches: Sequence[Sequence[Move]], term: Term, at: datetime) -> None:
        """Do part of the work for `batches` before they are claimed; nothing is claimed or sent
        yet.

        `batches` are the ones that will most likely be claimed next, under `term`, when they fall
        due at `at`.
        """

    def drop_prepared(self) -> None:
        """Discard the batches that `prepare` made ready.

        Call this when other batches will be sent next, or when no batch is expected soon.
        """

    def claim(self, moves: Sequence[Move], term: Term) -> Claimed:
        """Claim `moves` under `term`, and return the batch, which the caller must publish.

        Raise Deposed if the ledger has a newer term (the fencing number of a leader). Raise
        StoreError if the ledger fails; the claims may have been made nevertheless.
        """

    def write_history(self) -> bool:
        """Write some lines of history that earlier batches postponed to an idle moment.

        Return True if there may be more lines to write.
        """

    def never_sent(self, claim: OpenClaim) -> bool:
        """Return True if the message of `claim` was certainly never published, else False.

        This is known only if exactly this claim (same time, same term number) failed in this
        process.
        """
