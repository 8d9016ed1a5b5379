"""Whether the broker can be reached: nothing is claimed before it is known, or while it is away."""

from collections.abc import Sequence

from beatd.clock import Clock
from beatd.dispatch import Published
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
        """Seconds since the broker was asked last."""
        return self._clock.elapsed() - self._asked_at

    def forget(self) -> None:
        """Forget, at the start of a term, what was known before it."""
        self._known = False

    def answers(self) -> bool:
        """True if the broker can be published to, as far as is known."""
        # Asking before each batch would cost a round trip.
        return (self._known and self.over) or self.ask()

    def learn(self, batches: Sequence[Published], began: float) -> None:
        """Begin an outage if the outcomes leave a doubt."""
        doubt = next((batch.doubt for batch in batches if batch.doubt), "")
        if doubt:
            # It has been away since it was spoken to, not since its time-out: others are waiting.
            self.begin(doubt, since=began)

    def ask(self) -> bool:
        self._known, self._asked_at = True, self._clock.elapsed()
        if self._publisher.reachable():
            self.end()
            return True
        self.begin(self._publisher.trouble() or "no answer", since=self._asked_at)
        return False
