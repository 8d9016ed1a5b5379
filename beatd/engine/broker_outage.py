"""Track whether the broker can be reached; nothing is claimed while that is unknown."""

from collections.abc import Sequence

from beatd.clock import Clock
from beatd.dispatch import Published
from beatd.engine.outage import Outage
from beatd.events import BrokerAway, BrokerBack, Observer
from beatd.publisher import Publisher


class BrokerOutage(Outage):
    """Tracks whether the broker is away.

    The broker is checked when this daemon begins to lead, and during an outage. In between, the
    outcomes of the batches show whether it answers.
    """

    def __init__(self, publisher: Publisher, *, clock: Clock, tell: Observer) -> None:
        super().__init__(BrokerAway, BrokerBack, clock=clock, tell=tell)
        self._publisher = publisher
        self._known = False
        self._asked_at = float("-inf")

    @property
    def last_asked(self) -> float:
        """The seconds that have passed since the broker was last checked."""
        return self._clock.elapsed() - self._asked_at

    def forget(self) -> None:
        """Make the next call of `answers` check the broker, because this daemon begins to lead."""
        self._known = False

    def answers(self) -> bool:
        """Return True if the broker can be reached.

        The result of the last check is used while no outage is known; else, and after `forget`, the
        broker is checked now.
        """
        # Asking before each batch would cost a round trip.
        return (self._known and self.over) or self.ask()

    def learn(self, batches: Sequence[Published], began: float) -> None:
        """Begin an outage if the outcomes of `batches` suggest that the broker is away.

        The outage counts from `began`, a value of `Clock.elapsed`.
        """
        doubt = next((batch.doubt for batch in batches if batch.doubt), "")
        if doubt:
            # As of the publishing and not of its time-out: another daemon may take over sooner.
            self.begin(doubt, since=began)

    def ask(self) -> bool:
        """Check the broker now, begin or end the outage accordingly, and return True if it
        answers."""
        self._known, self._asked_at = True, self._clock.elapsed()
        if self._publisher.reachable():
            self.end()
            return True
        self.begin(self._publisher.trouble() or "no answer", since=self._asked_at)
        return False
