"""The protocol of a dispatch, which reserves the runs of a batch and sends their messages.

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
    """The result of reserving and sending the runs of a batch.

    `moves` are the changes of the store. `made` has True for each that the store accepted, False
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
        """Why the broker seems to be away, or "" if nothing suggests it.

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
    """A batch whose runs are reserved for this leader, so that they can be sent."""

    @property
    def left(self) -> Sequence[Move]:
        """The changes that were not made, because they need a batch of their own."""

    def publish(self, may_go_on: MayGoOn) -> Published:
        """Send the messages of the reserved runs, and return the outcomes of all of them.

        Workers are told to end the running runs that the batch replaces. `may_go_on` returns False
        when no further message may be sent. If reserving and sending are one script, its failure
        may raise StoreError here.
        """


class Dispatch(Protocol):
    """Reserves the runs of a batch for this leader, and sends their messages.

    A Move is one change of one row of the store, such as to reserve a run. There is one
    implementation for any broker, and one for store and broker in the same Redis.
    """

    atomic: bool  # True: one script claims and publishes, and batches overlap on one thread
    first: int  # the best size of the first batch of many due runs; later batches are larger
    unsent: dict[str, tuple[datetime, int]]  # task id -> its claim's (claimed_at, term number)

    def prepare(self, batches: Sequence[Sequence[Move]], term: Term, at: datetime) -> None:
        """Prepare the batches that are due next, at `at`; reserve and send nothing yet.

        `term` is the number under which this daemon leads.
        """

    def drop_prepared(self) -> None:
        """Discard what `prepare` made, because other batches are sent next, or none soon."""

    def claim(self, moves: Sequence[Move], term: Term) -> Claimed:
        """Reserve the runs of a batch for this leader, and return the batch to be published.

        Raise Deposed if the store knows a newer leader than `term`. Raise StoreError if the store
        fails; the runs may be reserved nevertheless.
        """

    def write_history(self) -> bool:
        """Write some postponed lines of history; return True if there may be more."""

    def never_sent(self, claim: OpenClaim) -> bool:
        """Return True if the message of a reserved run was certainly never sent, else False.

        This is known only if exactly this attempt to reserve it (same time, same leader's number)
        failed in this process.
        """
