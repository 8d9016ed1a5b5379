"""Every store, as the contracts of the stores use them."""

from tests.stores.conftest import emptied, place, reopen, store

__all__ = ["emptied", "place", "reopen", "store"]
