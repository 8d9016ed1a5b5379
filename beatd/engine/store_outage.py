"""Track whether the store answers and accepts writes."""

from datetime import timedelta

from beatd.clock import Clock
from beatd.engine.outage import Outage
from beatd.errors import StoreError
from beatd.events import Observer, StoreAway, StoreBack


class StoreOutage(Outage):
    """Tracks whether the store is away; if `notes_writes`, only a successful write ends one."""

    def __init__(self, *, clock: Clock, emit: Observer, notes_writes: bool) -> None:
        super().__init__(StoreAway, StoreBack, clock=clock, emit=emit)
        self._notes_writes, self._refusal = notes_writes, ""
        self.is_proven = True  # True if a write succeeded since the last failure, and at the start

    def answered(self) -> None:
        """End the outage, because the store answered; begin one if it refused the last write."""
        if self._refusal:
            self.begin(f"it refuses writes: {self._refusal}")
        elif self.is_proven:
            self.end()

    def failed(self, trouble: StoreError) -> timedelta:
        """Begin an outage, as the store did not answer; return the pause before the next try."""
        self.is_proven = not self._notes_writes
        self.begin(str(trouble))
        return self.back_off()

    def refused(self, reason: str) -> None:
        """Note why a write was refused, for the next `answered`; any thread may call this."""
        self._refusal, self.is_proven = reason, False

    def succeeded(self) -> None:
        """Note that a write succeeded, for the next `answered`; any thread may call this."""
        self._refusal, self.is_proven = "", True
