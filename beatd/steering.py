"""Whose time it is: the store's, where it has a clock, so that all daemons agree on now."""

from datetime import timedelta

from beatd.clock import EPOCH, Clock
from beatd.ledger import Terms

QUICK, DRIFT = 0.1, 0.01  # seconds of a round trip to the store's clock; drift per second
TRIES = 5  # until the best of the slow replies is good enough


class Steering:
    """Half the round trip is how far off an answer may be: one slow reply is not believed over a
    quick one before, unless that is so old that clocks may have drifted as far."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._steered_at, self._trip = clock.elapsed(), float("inf")
        self._heard = 0
        self.offset = 0.0  # seconds that the host's clock is ahead of the store's

    @property
    def sure(self) -> bool:
        """Whether a quick reply was heard, or so many that none will be quick."""
        return self._trip <= QUICK or self._heard >= TRIES

    def by(self, store: Terms) -> None:
        """Raises StoreError; the clock then runs on as it was steered before."""
        asked = self._clock.elapsed()
        there = store.now()
        self._heard += 1
        if there is None:
            self._heard = TRIES  # it has no clock, and will not have one
            return
        answered = self._clock.elapsed()
        trip, age = answered - asked, asked - self._steered_at
        if trip > max(QUICK, self._trip + age * DRIFT):
            return
        self._steered_at, self._trip = asked, trip
        middle = (asked + answered) / 2
        self.offset = (self._clock.host_now() - there).total_seconds()
        self._clock.steer(there - EPOCH - timedelta(seconds=middle))
