"""Whether the store can be used: it answers, and takes writes."""

from datetime import timedelta

from beatd.clock import Clock
from beatd.engine.outage import Outage
from beatd.engine.store_writes import StoreWrites
from beatd.errors import StoreError
from beatd.events import Observer, StoreAway, StoreBack


class StoreOutage(Outage):
    def __init__(self, writes: StoreWrites | None, *, clock: Clock, tell: Observer) -> None:
        super().__init__(StoreAway, StoreBack, clock=clock, tell=tell)
        self._writes = writes

    def answered(self) -> None:
        """Note that the store answered all of a tick; it may still refuse what is written."""
        if self._writes is not None and self._writes.trouble:
            self.begin(f"it refuses writes: {self._writes.trouble}")
        elif self._writes is None or self._writes.proven:
            self.end()

    def failed(self, trouble: StoreError) -> timedelta:
        """Note that the store did not answer, and return how long to leave it alone."""
        if self._writes is not None:
            self._writes.doubt()
        self.begin(str(trouble))
        return self.back_off()
