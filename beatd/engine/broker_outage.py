"""Track whether the broker can be reached; nothing is claimed before that is known."""

from collections.abc import Sequence

from beatd.clock import Clock
from beatd.dispatch import Published
from beatd.engine.outage import Outage
from beatd.events import BrokerAway, BrokerBack, Observer
from beatd.publisher import Publisher


class BrokerOutage(Outage):
    """The outage of the broker. The broker is checked at the start of a term and during an outage;
    in between, the outcomes of the batches show whether it answers."""

    def __init__(self, publisher: Publisher, *, clock: Clock, tell: Observer) -> None:
        super().__init__(BrokerAway, BrokerBack, clock=clock, tell=tell)
        self._publisher = publisher
        self._known = False
        self._asked_at = float("-inf")

    @property
    def last_asked(self) -> float:
        """The seconds since the broker was checked last."""
        return self._clock.elapsed() - self._asked_at

    def forget(self) -> None:
        """Make the next `answers` check the broker; called at the start of a term."""
        self._known = False

    def answers(self) -> bool:
        """True if the broker can be reached, by its last check or a new one."""
        # Asking before each batch would cost a round trip.
        return (self._known and self.over) or self.ask()

    def learn(self, batches: Sequence[Published], began: float) -> None:
        """Begin an outage, as of `began` (a value of `Clock.elapsed`), if the outcomes of the
        batches suggest that the broker is away."""
        doubt = next((batch.doubt for batch in batches if batch.doubt), "")
        if doubt:
            # As of the publishing and not of its time-out: another daemon may take over sooner.
            self.begin(doubt, since=began)

    def ask(self) -> bool:
        """Check the broker, begin or end the outage, and return True if it answers."""
        self._known, self._asked_at = True, self._clock.elapsed()
        if self._publisher.reachable():
            self.end()
            return True
        self.begin(self._publisher.trouble() or "no answer", since=self._asked_at)
        return False
