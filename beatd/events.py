"""What the engine tells; how it is worded is the business of those who listen."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from beatd.leader import Holder, Term
from beatd.ledger import Result
from beatd.run import Skip


class Event(Struct, frozen=True):
    pass


class Ticked(Event, frozen=True):
    """The loop turned; `until` is when it looks again."""

    at: datetime
    until: datetime


class LeadWon(Event, frozen=True):
    term: Term


RESIGNED = "resigned"


class LeadLost(Event, frozen=True):
    reason: str
    holder: Holder | None


class LeaderSeen(Event, frozen=True):
    """A standby saw another leader than before."""

    holder: Holder


class Sent(Event, frozen=True):
    """A batch came back from the broker, one result per run."""

    results: Sequence[Result]
    seconds: float
    late: Sequence[float]  # of those that can be

    @classmethod
    def of(cls, results: Sequence[Result], seconds: float) -> "Sent":
        return cls(results, seconds, [late for one in results if (late := one.late) is not None])


class Skipped(Event, frozen=True):
    """What a batch passed over: names of entries, and which of their runs."""

    skips: Sequence[tuple[str, Skip]]


class Unplannable(Event, frozen=True):
    """An entry whose next moment cannot be worked out: a fault of ours, and of that entry alone."""

    name: str
    reason: str


class Refused(Event, frozen=True):
    """Claims that did not match their rows any more: edited in between, they are read again."""

    names: Sequence[str]


class Overdue(Event, frozen=True):
    """A standby sees an occurrence that its leader should have published long ago."""

    name: str
    due: datetime
    seconds: float


class OnTime(Event, frozen=True):
    """What a standby saw overdue is so no longer."""


class StoreAway(Event, frozen=True):
    reason: str


class StoreBack(Event, frozen=True):
    seconds: float


class BrokerAway(Event, frozen=True):
    reason: str


class BrokerBack(Event, frozen=True):
    seconds: float


class LockAway(Event, frozen=True):
    """The lock cannot be used, so this daemon cannot lead."""

    reason: str


class LockBack(Event, frozen=True):
    seconds: float


class WentBack(Event, frozen=True):
    """The store knows less than this daemon saw in it: a failover or a restored backup."""

    reason: str


class ClockStepped(Event, frozen=True):
    """The clock jumped by so many seconds against elapsed time."""

    seconds: float


class Broke(Event, frozen=True):
    """A programming error in a turn of a loop, which goes on."""

    loop: str
    error: Exception


class Stopped(Event, frozen=True):
    pass


Observer = Callable[[Event], None]


def nobody(event: Event) -> None:
    """The observer of those who do not listen."""
