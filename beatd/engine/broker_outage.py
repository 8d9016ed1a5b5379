"""Track whether the broker can be reached; nothing is sent while it is away."""

from collections.abc import Sequence

from beatd.clock import Clock
from beatd.dispatch import Published
from beatd.engine.outage import Outage
from beatd.events import BrokerAway, BrokerBack, Observer
from beatd.publisher import Publisher


class BrokerOutage(Outage):
    def __init__(self, publisher: Publisher, *, clock: Clock, emit: Observer) -> None:
        super().__init__(BrokerAway, BrokerBack, clock=clock, emit=emit)
        self._publisher = publisher
        self._known = False
        self._checked_at = float("-inf")

    @property
    def last_checked_s(self) -> float:
        """The seconds since the broker was last checked."""
        return self._clock.elapsed() - self._checked_at

    def forget(self) -> None:
        """Make the next call of `answers` contact the broker, even if it answered before."""
        self._known = False

    def answers(self) -> bool:
        """Return True if the broker can be reached.

        It is contacted only if it was never checked or is known to be away.
        """
        return (self._known and self.over) or self.check()

    def learn(self, batches: Sequence[Published], began: float) -> None:
        """Begin an outage if the results of a batch show that the broker is probably away.

        `began` is the moment when the batch was sent, by the monotonic clock `Clock.elapsed`.
        """
        doubt = next((batch.doubt for batch in batches if batch.doubt), "")
        if doubt:
            # As of the publishing and not of its time-out: another daemon may take over sooner.
            self.begin(doubt, since=began)

    def check(self) -> bool:
        """Connect to the broker now and return True if it answers; begin or end the outage."""
        self._known, self._checked_at = True, self._clock.elapsed()
        if self._publisher.reachable():
            self.end()
            return True
        self.begin(self._publisher.trouble() or "no answer", since=self._checked_at)
        return False
