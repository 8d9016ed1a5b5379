"""The events of the daemon, which observers log, count or report."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from beatd.changes import Action, Author
from beatd.incident import Incident
from beatd.leader import Holder, Term
from beatd.ledger import Result
from beatd.outcome import Delivery
from beatd.run import Skip


class Event(Struct, frozen=True):
    """The base class of all events that a daemon reports to its observers."""


class Ticked(Event, frozen=True):
    """Emitted at the end of a tick, which is one scheduling pass; the tick began at `at`.

    The next tick is at `until`, or earlier after an edit.
    """

    at: datetime
    until: datetime


class Started(Event, frozen=True):
    """Emitted when this daemon starts, before it opens its store.

    `config` is the path of the configuration, `app` the Celery app, `http` the address of the
    pages; each may be None. No URL has a password.
    """

    name: str
    version: str
    config: str | None
    app: str | None
    broker: str
    store: str
    lock: str
    http: str | None


class EntriesCounted(Event, frozen=True):
    """Emitted once, as soon as a leader is known, with the number of entries in the store."""

    entries: int


class LeadWon(Event, frozen=True):
    """Emitted when this daemon becomes the leader; `term` has a new, higher number."""

    term: Term


RESIGNED = "resigned"


class LeadLost(Event, frozen=True):
    """Emitted when this daemon stops leading; `reason` is a text for people.

    `holder` is the last known holder of the leader's lock, which may be this daemon; None if
    unknown.
    """

    reason: str
    holder: Holder | None


class LeaderSeen(Event, frozen=True):
    """Emitted when this daemon sees that another daemon, `holder`, has become the leader."""

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
        """Return the event for these results; `late` is computed from them."""
        return cls(results, seconds, [late for one in results if (late := one.late) is not None])


class Skipped(Event, frozen=True):
    """Emitted when planned runs were skipped, so that they will never run.

    `skips` holds pairs of an entry's name and the skipped times.
    """

    skips: Sequence[tuple[str, Skip]]


class Unplannable(Event, frozen=True):
    """Emitted when an unexpected error prevents computing the next run of the entry `name`.

    The entry does not run until it is edited; all other entries run as planned.
    """

    name: str
    reason: str


class PausesChanged(Event, frozen=True, kw_only=True):
    """Emitted by the leader when it learns that `author` paused or resumed the entries `names`.

    `until` is the end of the pause; None without an end. If `at_least`, there may be more entries.
    """

    names: Sequence[str]
    action: Action
    author: Author
    until: datetime | None
    at_least: bool = False


class Refused(Event, frozen=True):
    """Emitted when the store refused changes, because their entries were edited meanwhile.

    The entries `names` are read again.
    """

    names: Sequence[str]


class Overdue(Event, frozen=True):
    """Emitted on a daemon that does not lead, when the leader seems to have stopped.

    The next run of entry `name` was due at `due`, `seconds` ago, and the leader did not claim it.
    """

    name: str
    due: datetime
    seconds: float


class OnTime(Event, frozen=True):
    """Emitted on a daemon that does not lead, when no run of the leader is overdue any more."""


class StoreAway(Event, frozen=True):
    """Emitted when the store stops answering or refuses writes."""

    reason: str


class StoreBack(Event, frozen=True):
    """Emitted when the store works again; `seconds` is the length of the outage."""

    seconds: float


class BrokerAway(Event, frozen=True):
    """Emitted when the broker stops answering."""

    reason: str


class BrokerBack(Event, frozen=True):
    """Emitted when the broker answers again; `seconds` is the length of the outage."""

    seconds: float


class OutcomesRead(Event, frozen=True, kw_only=True):
    """Emitted when the leader has stored outcomes of runs, or learned that reports were lost.

    - `deliveries`: the deliveries (of a message to a worker) whose state changed. For a canvas, it
      is one delivery with the state of the whole run, each time that this changed.
    - `late`: the number of deliveries that had already ended before.
    - `unknown`: the number of deliveries of runs that this store does not know.
    - `dropped`: the number of reports that workers have dropped.
    - `unreadable`: the number of invalid reports and messages.
    - `started`: the number of runs that workers execute now.
    """

    deliveries: Sequence[Delivery] = ()
    late: int = 0
    unknown: int = 0
    dropped: int = 0
    unreadable: int = 0
    started: int = 0


class RunsFailed(Event, frozen=True):
    """Emitted at most once a second, with the runs that newly failed, expired or were lost.

    `more` is the number of such runs that are not in `deliveries`. `repeats` has the task id of
    each run in `deliveries` whose task its worker does not know, with the number of earlier runs of
    the entry that failed alike and are in no event: of those, one each hour is in an event.
    """

    deliveries: Sequence[Delivery]
    more: int
    repeats: Mapping[str, int] = {}


class RunsNotReceived(Event, frozen=True):
    """Emitted by the leader, once, when no worker receives the runs of the entries `names`.

    All of them send their runs to `queue`; it is "" if unknown. Workers reported earlier runs.
    """

    names: Sequence[str]
    queue: str


class RunsReceivedAgain(Event, frozen=True):
    """Emitted when workers receive runs of these entries, after the event RunsNotReceived."""

    names: Sequence[str]
    queue: str


class OutcomesAway(Event, frozen=True):
    """Emitted when the leader cannot read outcomes from the broker or the result backend."""

    reason: str


class OutcomesBack(Event, frozen=True):
    """Emitted when outcomes are read again; `seconds` is the length of the outage."""

    seconds: float


class LockAway(Event, frozen=True):
    """Emitted when the leader's lock cannot be used, so that this daemon cannot lead."""

    reason: str


class LockBack(Event, frozen=True):
    """Emitted when the leader's lock works again; `seconds` is the length of the outage."""

    seconds: float


class WentBack(Event, frozen=True):
    """Emitted when the store shows older data than before, as after a restored backup."""

    reason: str


class ClockStepped(Event, frozen=True):
    """Emitted when the daemon's clock jumped by `seconds`, which is negative for a jump back."""

    seconds: float


class IncidentsOpened(Event, frozen=True):
    """Emitted when this daemon has opened incidents, which are problems to alert people about."""

    incidents: Sequence[Incident]


class IncidentsClosed(Event, frozen=True):
    """Emitted when this daemon has closed incidents; there is at least one."""

    incidents: Sequence[Incident]


class IncidentsCounted(Event, frozen=True):
    """Emitted by the leader when the number of open incidents has changed.

    `counts` maps each kind of incident to its number. It is empty when the daemon stops leading.
    """

    counts: Mapping[str, int]


class AlertSent(Event, frozen=True):
    """Emitted after a message about `count` incidents was sent. `channel` has no secrets."""

    channel: str
    title: str
    count: int


class AlertNotSent(Event, frozen=True):
    """Emitted when a message about incidents could not be sent. If `final`, beatd gives up."""

    channel: str
    title: str
    reason: str
    final: bool


class Broke(Event, frozen=True):
    """Emitted after an unexpected exception in the background loop `loop`, which continues."""

    loop: str
    error: Exception


class Stopped(Event, frozen=True):
    """Emitted as the last event, when the daemon has stopped."""

    pass


Observer = Callable[[Event], None]


def nobody(event: Event) -> None:
    """Ignore the event; this is the default observer."""
