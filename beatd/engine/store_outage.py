"""Track whether the store answers and accepts writes."""

from datetime import timedelta

from beatd.clock import Clock
from beatd.engine.outage import Outage
from beatd.errors import StoreError
from beatd.events import Observer, StoreAway, StoreBack


class StoreOutage(Outage):
    """Tracks whether the store can be used.

    If `notes_writes`, an outage ends only after a successful write.
    """

    def __init__(self, *, clock: Clock, emit: Observer, notes_writes: bool) -> None:
        super().__init__(StoreAway, StoreBack, clock=clock, emit=emit)
        self._notes_writes, self._refusal = notes_writes, ""
        self.is_proven = True  # True if a write succeeded since the last failure, and at the start

    def answered(self) -> None:
        """Record that the store answered, which ends an outage.

        If the store refused the last write, an outage begins instead.
        """
        if self._refusal:
            self.begin(f"it refuses writes: {self._refusal}")
        elif self.is_proven:
            self.end()

    def failed(self, trouble: StoreError) -> timedelta:
        """Record that the store did not answer, and return the pause before the next try."""
        self.is_proven = not self._notes_writes
        self.begin(str(trouble))
        return self.back_off()

    def refused(self, reason: str) -> None:
        """Record why the store refused a write; the next call of `answered` begins an outage.

        Any thread may call this.
        """
        self._refusal, self.is_proven = reason, False

    def succeeded(self) -> None:
        """Record that a write succeeded, so that the next call of `answered` ends an outage.

        Any thread may call this.
        """
        self._refusal, self.is_proven = "", True
