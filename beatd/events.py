"""What the engine tells; how it is worded is the business of those who listen."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from beatd.leader import Holder, Term
from beatd.ledger import Result
from beatd.run import Skip


class Event(Struct, frozen=True):
    pass


class Ticked(Event):
    """The loop turned; `until` is when it looks again."""

    at: datetime
    until: datetime


class LeadWon(Event):
    term: Term


class LeadLost(Event):
    reason: str
    holder: Holder | None


class LeaderSeen(Event):
    """A standby saw another leader than before."""

    holder: Holder


class Sent(Event):
    """A batch came back from the broker, one result per run."""

    results: Sequence[Result]
    seconds: float


class Skipped(Event):
    name: str
    skip: Skip


class Refused(Event):
    """Claims that did not match their rows any more: edited in between, they are read again."""

    names: Sequence[str]


class Overdue(Event):
    """A standby sees an occurrence that its leader should have published long ago."""

    name: str
    due: datetime
    seconds: float


class StoreAway(Event):
    reason: str


class StoreBack(Event):
    seconds: float


class BrokerAway(Event):
    reason: str


class BrokerBack(Event):
    seconds: float


class WentBack(Event):
    """The store knows less than this daemon saw in it: a failover or a restored backup."""

    reason: str


class Stopped(Event):
    pass


Observer = Callable[[Event], None]


def nobody(event: Event) -> None:
    """The observer of those who do not listen."""
