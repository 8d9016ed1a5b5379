"""A store: the one truth about what should run and what ran."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from beatd.catalog import EditableCatalog, Wake
from beatd.ledger import History, Ledger, Presences, Terms


class Store(EditableCatalog, Ledger, Terms, History, Presences, Protocol):
    """A catalog and a ledger in one place. Raises StoreError while it cannot be reached."""

    @property
    def namespace(self) -> UUID:
        """Made at random once per store, so that two installations never share task ids."""

    def new_identity(self) -> UUID:
        """Another namespace, after the place was cloned, for whoever begins a term from here on."""

    def watch(self, wake: Wake) -> bool:
        """Call `wake` soon after any change made by others; False where the store cannot tell."""

    def problems(self) -> Sequence[str]:
        """What `beatd check` should say: a disk that is slow or nearly full, an eviction policy,
        entries this program cannot read. These are looked for among the ten thousand that are
        next: as nobody claims them, they come to the front there by themselves."""

    def close(self) -> None: ...
