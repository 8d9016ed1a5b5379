"""Track whether the store can be used: it answers and accepts writes."""

from datetime import timedelta

from beatd.clock import Clock
from beatd.engine.outage import Outage
from beatd.errors import StoreError
from beatd.events import Observer, StoreAway, StoreBack


class StoreOutage(Outage):
    """Tracks whether the store is away; if `notes_writes` is True, only a write ends an outage."""

    def __init__(self, *, clock: Clock, emit: Observer, notes_writes: bool) -> None:
        super().__init__(StoreAway, StoreBack, clock=clock, emit=emit)
        self._notes_writes, self._refusal = notes_writes, ""
        self.is_proven = True  # True if a write succeeded since the last failure, and at the start

    def answered(self) -> None:
        """End the outage, as the store answered; begin one if it refused the last write."""
        if self._refusal:
            self.begin(f"it refuses writes: {self._refusal}")
        elif self.is_proven:
            self.end()

    def failed(self, trouble: StoreError) -> timedelta:
        """Begin an outage, as the store did not answer; return the pause before a retry."""
        self.is_proven = not self._notes_writes
        self.begin(str(trouble))
        return self.back_off()

    def refused(self, reason: str) -> None:
        """Store why a write was refused, for the next `answered`; any thread may call this."""
        self._refusal, self.is_proven = reason, False

    def succeeded(self) -> None:
        """Store that a write succeeded, for the next `answered`; any thread may call this."""
        self._refusal, self.is_proven = "", True
