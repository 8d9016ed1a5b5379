"""The events of the engine; observers decide how to show them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from beatd.leader import Holder, Term
from beatd.ledger import Result
from beatd.run import Skip


class Event(Struct, frozen=True):
    """Something that the engine or the daemon did or saw."""

    pass


class Ticked(Event, frozen=True):
    """A tick ended; the next one is at `until`."""

    at: datetime
    until: datetime


class LeadWon(Event, frozen=True):
    """This daemon leads."""

    term: Term


RESIGNED = "resigned"


class LeadLost(Event, frozen=True):
    """This daemon leads no more; `holder` leads now, if anyone is known to."""

    reason: str
    holder: Holder | None


class LeaderSeen(Event, frozen=True):
    """A standby sees another leader than before."""

    holder: Holder


class Sent(Event, frozen=True):
    """The broker's results of a batch, one for each run.

    `late` has the seconds of lateness of the runs that were published.
    """

    results: Sequence[Result]
    seconds: float
    late: Sequence[float]

    @classmethod
    def of(cls, results: Sequence[Result], seconds: float) -> "Sent":
        """Return the event of these results."""
        return cls(results, seconds, [late for one in results if (late := one.late) is not None])


class Skipped(Event, frozen=True):
    """The skipped moments of a batch, each with the name of its entry."""

    skips: Sequence[tuple[str, Skip]]


class Unplannable(Event, frozen=True):
    """The next moment of an entry cannot be computed: a bug of beatd that stops only this entry."""

    name: str
    reason: str


class Refused(Event, frozen=True):
    """Claims of rows that were edited meanwhile; the rows are read again."""

    names: Sequence[str]


class Overdue(Event, frozen=True):
    """A standby sees an occurrence that the leader should have published long ago."""

    name: str
    due: datetime
    seconds: float


class OnTime(Event, frozen=True):
    """The occurrence that a standby saw overdue is so no longer."""


class StoreAway(Event, frozen=True):
    """The store does not answer."""

    reason: str


class StoreBack(Event, frozen=True):
    """The store answers again, after so many seconds."""

    seconds: float


class BrokerAway(Event, frozen=True):
    """The broker does not answer."""

    reason: str


class BrokerBack(Event, frozen=True):
    """The broker answers again, after so many seconds."""

    seconds: float


class LockAway(Event, frozen=True):
    """The lock cannot be used, so this daemon cannot lead."""

    reason: str


class LockBack(Event, frozen=True):
    """The lock can be used again, after so many seconds."""

    seconds: float


class WentBack(Event, frozen=True):
    """The store has older data than this daemon saw in it: a failover or a restored backup."""

    reason: str


class ClockStepped(Event, frozen=True):
    """The clock jumped by so many seconds against elapsed time."""

    seconds: float


class Broke(Event, frozen=True):
    """A bug in one turn of a loop; the loop goes on."""

    loop: str
    error: Exception


class Stopped(Event, frozen=True):
    """The daemon stopped."""

    pass


Observer = Callable[[Event], None]


def nobody(event: Event) -> None:
    """Do nothing: the observer where none is given."""
