"""Track whether the store can be used: whether it answers and accepts writes.

The campaign's thread writes the presence record once a second and notes the result here, so that a
check needs no request of its own.
"""

from datetime import timedelta

from beatd.clock import Clock
from beatd.engine.outage import Outage
from beatd.errors import StoreError
from beatd.events import Observer, StoreAway, StoreBack


class StoreOutage(Outage):
    """Tracks whether the store is away.

    With `notes_writes`, an outage ends only after a write has succeeded.
    """

    def __init__(self, *, clock: Clock, tell: Observer, notes_writes: bool) -> None:
        super().__init__(StoreAway, StoreBack, clock=clock, tell=tell)
        self._notes_writes, self._refusal = notes_writes, ""
        self.is_proven = True  # True if a write succeeded since the last failure, and at the start

    def answered(self) -> None:
        """Note that the store answered every request of a tick, which ends an outage.

        The outage goes on if a write was refused, or if no write has succeeded since the last
        failure.
        """
        if self._refusal:
            self.begin(f"it refuses writes: {self._refusal}")
        elif self.is_proven:
            self.end()

    def failed(self, trouble: StoreError) -> timedelta:
        """Note that the store did not answer (`trouble`), and return the pause before the next
        try."""
        self.is_proven = not self._notes_writes
        self.begin(str(trouble))
        return self.back_off()

    def refused(self, reason: str) -> None:
        """Note that the store refused a write; any thread may call this."""
        self._refusal, self.is_proven = reason, False

    def succeeded(self) -> None:
        """Note that the store accepted a write; any thread may call this."""
        self._refusal, self.is_proven = "", True
