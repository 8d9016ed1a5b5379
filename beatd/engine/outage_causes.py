"""What kept this daemon from its work, and when: why a moment went by, as far as that is known."""

from datetime import datetime

from beatd.clock import Clock
from beatd.events import BrokerAway, BrokerBack, Event, Observer, StoreAway, StoreBack
from beatd.run import Skip

BROKER, STORE = "the broker was away", "the store was away"
NOBODY = "nobody led"
# Words without figures: a reason is a label of the metrics as well.


class OutageCauses:
    """Listens on the way to another observer; the last outage of each server is remembered."""

    def __init__(self, clock: Clock, tell: Observer) -> None:
        self._clock, self._tell = clock, tell
        self._outages: dict[str, tuple[datetime, datetime | None]] = {}
        self._leads_since: datetime | None = None

    def __call__(self, event: Event) -> None:
        match event:
            case BrokerAway():
                self._outages[BROKER] = self._clock.now(), None
            case StoreAway():
                self._outages[STORE] = self._clock.now(), None
            case BrokerBack():
                self._outages[BROKER] = self._outages[BROKER][0], self._clock.now()
            case StoreBack():
                self._outages[STORE] = self._outages[STORE][0], self._clock.now()
            case _:
                pass
        self._tell(event)

    def leads(self, since: datetime) -> None:
        self._leads_since = since

    def of(self, skip: Skip) -> str:
        """Nothing where it is not known."""
        for cause, (began, ended) in self._outages.items():
            if began <= skip.until and (ended is None or skip.planned <= ended):
                return cause
        if self._leads_since is not None and skip.planned < self._leads_since:
            return NOBODY
        return ""
