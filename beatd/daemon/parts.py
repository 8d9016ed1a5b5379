"""How to make the parts of a daemon."""

from collections.abc import Callable

from msgspec import Struct

from beatd.daemon.housekeeping import Declares
from beatd.dispatch import Dispatch
from beatd.leader import Lease
from beatd.ledger import Claims
from beatd.publisher import Publisher
from beatd.store import Roles


class Parts(Struct, frozen=True, kw_only=True):
    """One function for each part; each raises StoreError while its server is away."""

    store: Callable[[], Roles]
    lease: Callable[[], Lease]
    publisher: Callable[[], Publisher]
    dispatch: Callable[[Claims, Publisher], Dispatch]
    declaring: Declares | None = None
