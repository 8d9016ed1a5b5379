"""Whether the broker can be reached: nothing is claimed before it is known, or while it is away."""

from beatd.clock import Clock
from beatd.engine.outage import Outage
from beatd.events import BrokerAway, BrokerBack, Observer
from beatd.publisher import Publisher


class BrokerOutage(Outage):
    """The broker is asked at the start of a term and during an outage; in between, the outcomes of
    the batches show whether it is there."""

    def __init__(self, publisher: Publisher, *, clock: Clock, tell: Observer) -> None:
        super().__init__(BrokerAway, BrokerBack, clock=clock, tell=tell)
        self._publisher = publisher
        self._known = False
        self._asked_at = float("-inf")

    @property
    def last_asked(self) -> float:
        """Seconds ago."""
        return self._clock.elapsed() - self._asked_at

    def forget(self) -> None:
        """Forget, at the start of a term, what was known before it."""
        self._known = False

    def answers(self) -> bool:
        """True if the broker can be published to, as far as is known."""
        # Asking before each batch would cost a round trip.
        return (self._known and self.over) or self.ask()

    def ask(self) -> bool:
        self._known, self._asked_at = True, self._clock.elapsed()
        if self._publisher.reachable():
            self.end()
            return True
        # It has been away since it was asked, not since its time-out: others are waiting.
        self.begin(self._publisher.trouble() or "no answer", since=self._asked_at)
        return False
