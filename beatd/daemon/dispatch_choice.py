"""Choose the dispatch (the object that claims and publishes runs) again after a server came
back."""

from collections.abc import Callable

from beatd.dispatch import Dispatch
from beatd.errors import BeatError
from beatd.events import BrokerBack, Event, LeadWon, StoreBack
from beatd.ledger import Claims
from beatd.publisher import Publisher


class DispatchChoice:
    """Notes when the dispatch must be chosen again, and chooses it.

    The dispatch claims and publishes runs. Which one fits depends on whether the ledger and the
    broker are on the same Redis server, and this may change when a server comes back.
    `open_dispatch` returns the dispatch that fits now.
    """

    def __init__(self, open_dispatch: Callable[[Claims, Publisher], Dispatch]) -> None:
        self._open_dispatch, self.is_due = open_dispatch, False

    def observe(self, event: Event) -> None:
        """Set `is_due` if the event shows that a server came back or that this daemon won the lead.

        Any thread may call this.
        """
        if isinstance(event, StoreBack | BrokerBack | LeadWon):
            self.is_due = True

    def choose(self, current: Dispatch, claims: Claims, publisher: Publisher) -> Dispatch | None:
        """Return the dispatch to use from now on, or None if the current one fits.

        Discards the batch that `current` has prepared. If the choice fails, `is_due` is True again
        and the result is None.
        """
        # Cleared first: a server that comes back during the choice asks for another one.
        self.is_due = False
        current.drop_prepared()  # the choice uses the broker's connections
        try:
            chosen = self._open_dispatch(claims, publisher)
        except BeatError:
            self.is_due = True
            return None
        return None if chosen.atomic == current.atomic else chosen
