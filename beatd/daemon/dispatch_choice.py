"""Choose the way of dispatch again after a server came back, which may be another one."""

from collections.abc import Callable

from beatd.dispatch import Dispatch
from beatd.errors import BeatError
from beatd.events import BrokerBack, Event, LeadWon, StoreBack
from beatd.ledger import Claims
from beatd.publisher import Publisher


class DispatchChoice:
    """Notes when the choice is due: ledger and broker may have become, or may no longer be, the
    same Redis. `open_dispatch` returns the dispatch that fits them now."""

    def __init__(self, open_dispatch: Callable[[Claims, Publisher], Dispatch]) -> None:
        self._open_dispatch, self.is_due = open_dispatch, False

    def observe(self, event: Event) -> None:
        """Note an event of the daemon; any thread may call this."""
        if isinstance(event, StoreBack | BrokerBack | LeadWon):
            self.is_due = True

    def choose(self, current: Dispatch, claims: Claims, publisher: Publisher) -> Dispatch | None:
        """Return the dispatch to use from now on; None if the current one stays."""
        # Cleared first: a server that comes back during the choice asks for another one.
        self.is_due = False
        current.drop_prepared()  # the choice uses the broker's connections
        try:
            chosen = self._open_dispatch(claims, publisher)
        except BeatError:
            self.is_due = True
            return None
        return None if chosen.atomic == current.atomic else chosen
