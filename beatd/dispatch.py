"""The protocol of a dispatch, which claims the runs of a batch in the ledger and publishes them.

A claim makes moves, each one change of one row of the ledger, and so reserves their runs for this
leader. `StepDispatch` claims and publishes in two steps, and the tick records the outcomes. A crash
between the steps leaves open claims (claimed, not recorded). `AtomicDispatch` does all of this in
one script where ledger and broker are the same Redis, so that no outcome is ever unknown.
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
    """The result of claiming and publishing a batch.

    `moves` are the changes of the ledger. `made` has True for each that the ledger accepted, False
    for each that it refused. `results` has the outcome of each message.
    """

    moves: Sequence[Move]
    made: Sequence[bool]
    results: Sequence[Result] = ()
    unrecorded: Sequence[Result] = ()  # those of `results` that the tick has to record
    seconds: float = 0.0  # from the first message to the last answer

    @property
    def held(self) -> bool:
        """True if a message of the batch was not sent, or may not have been sent."""
        return any(result.outcome.sent in ("unsent", "unknown") for result in self.unrecorded)

    @property
    def doubt(self) -> str:
        """The reason to think that the broker is away, or "" if there is none.

        One message that was confirmed, rejected or refused shows that the broker answers, so that
        one full queue does not stop the others. Messages not sent because the lead was lost are
        ignored.
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
    """A batch that was claimed in the ledger for this leader and can be published."""

    @property
    def left(self) -> Sequence[Move]:
        """The moves that were not claimed, because they need a batch of their own."""

    def publish(self, may_go_on: MayGoOn) -> Published:
        """Publish the messages of the claimed runs, wait for their outcomes, and return them.

        Workers are told to end the running runs in the moves' `revokes`. `may_go_on` returns False
        when no further message may be sent. A claim that is one script with its messages may raise
        StoreError here.
        """


class Dispatch(Protocol):
    """Claims the runs of a batch in the ledger, and publishes their messages.

    A Move is one change of one row of the ledger, such as to claim a run. There is one
    implementation for any broker, and one for ledger and broker in the same Redis.
    """

    atomic: bool  # True: one script claims and publishes, and batches overlap on one thread
    first: int  # the best size of the first batch of many due runs; later batches are larger
    unsent: dict[str, tuple[datetime, int]]  # task id -> its claim's (claimed_at, term number)

    def prepare(self, batches: Sequence[Sequence[Move]], term: Term, at: datetime) -> None:
        """Prepare the batches that will most likely be claimed next, under `term`, when they fall
        due at `at`. Nothing is claimed or sent yet."""

    def drop_prepared(self) -> None:
        """Discard what `prepare` made, because other batches are sent next, or none soon."""

    def claim(self, moves: Sequence[Move], term: Term) -> Claimed:
        """Claim a batch in the ledger under `term`, and return it for the caller to publish.

        Raise Deposed if the ledger has a newer term (the fencing number of a leader). Raise
        StoreError if the ledger fails; the claims may have been made nevertheless.
        """

    def write_history(self) -> bool:
        """Write some postponed lines of history; return True if there may be more."""

    def never_sent(self, claim: OpenClaim) -> bool:
        """Return True if the message of `claim` was certainly never sent, else False.

        This is known only if exactly this claim (same time, same term number) failed in this
        process.
        """
