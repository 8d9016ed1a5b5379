"""Explain why a run was missed: the broker or the store was away, or no daemon led."""

from datetime import datetime, timedelta

from beatd.clock import Clock
from beatd.events import BrokerAway, BrokerBack, Event, Observer, StoreAway, StoreBack
from beatd.planning import earlier
from beatd.run import Skip

# Words without figures: a reason is a label of the metrics as well.
BEGINS = {BrokerAway: "the broker was away", StoreAway: "the store was away"}
ENDS = {BrokerBack: BEGINS[BrokerAway], StoreBack: BEGINS[StoreAway]}
NOBODY_LED = "nobody led"


class OutageCauses:
    """Remembers when each server was last away, to explain why runs were missed.

    It is called with each event of the daemon, and passes the event on to `emit`. An outage begins
    up to `noticed_within_s` seconds before its event: a run that could not be sent shows it.
    """

    def __init__(self, clock: Clock, emit: Observer, noticed_within_s: float) -> None:
        self._clock, self._emit = clock, emit
        self._noticed_within = timedelta(seconds=noticed_within_s)
        self._outages: dict[str, tuple[datetime, datetime | None]] = {}
        self._leads_since: datetime | None = None

    def __call__(self, event: Event) -> None:
        kind = type(event)
        if kind in BEGINS:
            began = earlier(self._clock.now(), self._noticed_within)
            self._outages[BEGINS[kind]] = began, None
        elif kind in ENDS:
            self._outages[ENDS[kind]] = self._outages[ENDS[kind]][0], self._clock.now()
        self._emit(event)

    def leads(self, since: datetime) -> None:
        """Store the moment since which this daemon leads, to explain runs missed before it."""
        self._leads_since = since

    def of(self, skip: Skip) -> str:
        """Return why skipped runs were missed, such as "the broker was away", or "" if unknown."""
        for cause, (began, ended) in self._outages.items():
            if began <= skip.until and (ended is None or skip.planned <= ended):
                return cause
        since = self._leads_since
        return NOBODY_LED if since is not None and skip.planned < since else ""
