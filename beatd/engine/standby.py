"""Watch the leader and the broker on a standby, a daemon that does not lead."""

from datetime import datetime, timedelta

from beatd.clock import Clock
from beatd.engine.broker_outage import BrokerOutage
from beatd.engine.limits import Limits
from beatd.events import Observer, OnTime, Overdue
from beatd.leader import Holder
from beatd.ledger import Ledger

LOOK_EVERY_S = 1.0
CHECK_BROKER_EVERY_S = 2.0


class Standby:
    """Watches, on a daemon that does not lead, whether the leader's runs are late.

    It emits the event `Overdue` when they are, and later `OnTime`.
    """

    def __init__(
        self, ledger: Ledger, broker: BrokerOutage, clock: Clock, emit: Observer, limits: Limits
    ) -> None:
        self._ledger, self._broker, self._clock, self._emit = ledger, broker, clock, emit
        self._patience = limits.overdue
        self._looked_at = float("-inf")
        self._watches_since = clock.elapsed()
        self._owed: Overdue | None = None

    def ends(self) -> None:
        """Stop watching, without an event, because this daemon has become the leader."""
        self._watches_since, self._owed = self._clock.elapsed(), None

    def watch(self, leader: Holder | None, now: datetime) -> None:
        """Check whether a run of the leader is late, at most once a second.

        No run counts as late while no `leader` is known. The broker is checked from time to time,
        too.
        """
        elapsed = self._clock.elapsed()
        if leader is None:
            self._watches_since = elapsed
        if elapsed - self._looked_at < LOOK_EVERY_S:
            return
        watched = timedelta(seconds=elapsed - self._watches_since)
        owed = self._overdue(now)
        self._looked_at = elapsed  # only now: a store that is away is asked at each tick
        if watched <= self._patience:
            owed = None
        if (owed is None) != (self._owed is None):
            self._emit(owed or OnTime())
        self._owed = owed
        if not self._broker.over or self._broker.last_checked_s >= CHECK_BROKER_EVERY_S:
            self._broker.check()

    def _overdue(self, now: datetime) -> Overdue | None:
        for row in self._ledger.upcoming(1):
            due = row.plan.due
            if due is not None and now - due > self._patience:
                return Overdue(row.entry.name, due, (now - due).total_seconds())
        return None
