"""Choose again how runs are reserved and published, after a server came back."""

from collections.abc import Callable

from beatd.dispatch import Dispatch
from beatd.errors import BeatError
from beatd.events import BrokerBack, Event, LeadWon, StoreBack
from beatd.ledger import Claims
from beatd.publisher import Publisher


class DispatchChoice:
    """Chooses again, when needed, the object that reserves and publishes runs: the dispatch.

    One kind of dispatch needs store and broker on the same Redis server. A server that comes back
    may be another one, so that another kind fits. `open_dispatch` returns the kind that fits now.
    """

    def __init__(self, open_dispatch: Callable[[Claims, Publisher], Dispatch]) -> None:
        self._open_dispatch, self.is_due = open_dispatch, False

    def observe(self, event: Event) -> None:
        """Set `is_due` if a server came back or this daemon became the leader.

        Any thread may call this.
        """
        if isinstance(event, StoreBack | BrokerBack | LeadWon):
            self.is_due = True

    def choose(self, current: Dispatch, claims: Claims, publisher: Publisher) -> Dispatch | None:
        """Return the dispatch to use from now on, or None to keep `current`.

        Discards the runs that `current` has prepared. If the choice fails, return None and set
        `is_due`.
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
