"""The functions from which a daemon makes its store, lock, publisher and other parts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from beatd.daemon.daemon_state import DaemonState
from beatd.daemon.housekeeping import Declares
from beatd.dispatch import Dispatch
from beatd.entry import Entry
from beatd.events import Observer
from beatd.leader import Lease
from beatd.ledger import Claims
from beatd.outcomes.outcome_reader import OutcomeReader
from beatd.publisher import Publisher
from beatd.store import Roles

if TYPE_CHECKING:
    from beatd.daemon.alert_thread import AlertThread
    from beatd.daemon.monitor_thread import MonitorThread


class Parts(Struct, frozen=True, kw_only=True):
    """The functions that make a daemon's parts; each raises StoreError while its server is away.

    `declaring` writes the declared entries to the store. `alerts` makes the thread for alerts,
    `monitors` the thread for external monitors, and `outcomes` the reader of runs' outcomes. Each
    of these four is None if the daemon does not need it. `queue_of` returns the name of the queue
    that gets an entry's messages. `timezone` is the zone of times in errors.
    """

    store: Callable[[], Roles]
    lease: Callable[[], Lease]
    publisher: Callable[[], Publisher]
    dispatch: Callable[[Claims, Publisher], Dispatch]
    declaring: Declares | None = None
    alerts: "Callable[[DaemonState, Observer], AlertThread] | None" = None
    monitors: "Callable[[DaemonState, Observer], MonitorThread] | None" = None
    outcomes: Callable[[Roles], OutcomeReader] | None = None
    timezone: str = "UTC"
    queue_of: Callable[[Entry], str] = lambda entry: str(entry.options.get("queue", ""))
