"""Whether the broker can be reached: nothing is claimed before it is known, or while it is away."""

from beatd.clock import Clock
from beatd.engine.outage import Outage
from beatd.events import BrokerAway, BrokerBack, Observer
from beatd.publisher import Publisher


class Reach:
    """Asked at the start of a term and during an outage; in between, the batches tell."""

    def __init__(self, publisher: Publisher, *, clock: Clock, tell: Observer) -> None:
        self._publisher, self._clock = publisher, clock
        self.outage = Outage(BrokerAway, BrokerBack, clock=clock, tell=tell)
        self._known = False
        self._asked_at = float("-inf")

    @property
    def ok(self) -> bool:
        return self.outage.over

    @property
    def last_asked(self) -> float:
        """Seconds ago."""
        return self._clock.elapsed() - self._asked_at

    def forget(self) -> None:
        """Another term: what was known before it counts for nothing."""
        self._known = False

    def answers(self) -> bool:
        # Asking before each batch would cost a round trip, and the last batch told.
        return (self._known and self.ok) or self.ask()

    def ask(self) -> bool:
        self._known, self._asked_at = True, self._clock.elapsed()
        if self._publisher.reachable():
            self.outage.end()
            return True
        self.doubt(self._publisher.trouble() or "no answer", since=self._asked_at)
        return False

    def doubt(self, reason: str, *, since: float) -> None:
        """Away since it was last asked, and not since its time-out: others are waiting."""
        self.outage.begin(reason, since=since)
