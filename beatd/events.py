"""The events of the engine and the daemon, which observers log, count or report."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from beatd.leader import Holder, Term
from beatd.ledger import Result
from beatd.run import Skip


class Event(Struct, frozen=True):
    """The base class of all events."""

    pass


class Ticked(Event, frozen=True):
    """Emitted when a tick ended at `at`. The next tick is at `until`, or earlier after an edit."""

    at: datetime
    until: datetime


class LeadWon(Event, frozen=True):
    """Emitted when this daemon begins to lead, under a new term."""

    term: Term


RESIGNED = "resigned"


class LeadLost(Event, frozen=True):
    """Emitted when this daemon stops to lead, for `reason`. `holder` is the last known holder of
    the lease, which may be this daemon; None if unknown."""

    reason: str
    holder: Holder | None


class LeaderSeen(Event, frozen=True):
    """Emitted when a daemon sees that another one, `holder`, has got the lease."""

    holder: Holder


class Sent(Event, frozen=True):
    """Emitted after a batch was published, with one result for each of its runs.

    `seconds` is the time from the first message to the last answer. `late` has the lateness in
    seconds of each confirmed run that was not requested by hand.
    """

    results: Sequence[Result]
    seconds: float
    late: Sequence[float]

    @classmethod
    def of(cls, results: Sequence[Result], seconds: float) -> "Sent":
        """Return the event for these results; `late` is taken from them."""
        return cls(results, seconds, [late for one in results if (late := one.late) is not None])


class Skipped(Event, frozen=True):
    """Emitted after a batch that skipped moments: pairs of an entry's name and the skip."""

    skips: Sequence[tuple[str, Skip]]


class Unplannable(Event, frozen=True):
    """Emitted when the plan of entry `name` fails with an unexpected exception, once for each
    revision. The entry does not run until it is edited; the others go on."""

    name: str
    reason: str


class Refused(Event, frozen=True):
    """Emitted when the ledger refused moves because their rows had changed since they were read;
    the rows of the entries `names` are read again."""

    names: Sequence[str]


class Overdue(Event, frozen=True):
    """Emitted on a standby when the first entry in the plan, `name`, was due at `due` and the
    leader has not claimed it; `seconds` is how long ago that was."""

    name: str
    due: datetime
    seconds: float


class OnTime(Event, frozen=True):
    """Emitted on a standby after `Overdue`, when no entry is overdue any more."""


class StoreAway(Event, frozen=True):
    """Emitted when the store stops to answer or refuses writes."""

    reason: str


class StoreBack(Event, frozen=True):
    """Emitted when the store works again; `seconds` is the length of the outage."""

    seconds: float


class BrokerAway(Event, frozen=True):
    """Emitted when the broker stops to answer."""

    reason: str


class BrokerBack(Event, frozen=True):
    """Emitted when the broker answers again; `seconds` is the length of the outage."""

    seconds: float


class LockAway(Event, frozen=True):
    """Emitted when the lock of the lease cannot be used, so that this daemon cannot lead."""

    reason: str


class LockBack(Event, frozen=True):
    """Emitted when the lock works again; `seconds` is the length of the outage."""

    seconds: float


class WentBack(Event, frozen=True):
    """Emitted when the store shows older data than before, as after a restored backup."""

    reason: str


class ClockStepped(Event, frozen=True):
    """Emitted when the daemon's clock was set, by `seconds`; negative if it went back."""

    seconds: float


class Broke(Event, frozen=True):
    """Emitted when a turn of the loop `loop` raised an unexpected exception; the loop goes on."""

    loop: str
    error: Exception


class Stopped(Event, frozen=True):
    """Emitted as the last event, when the daemon has stopped."""

    pass


Observer = Callable[[Event], None]


def nobody(event: Event) -> None:
    """Ignore the event: the default observer."""
