"""A store: the one truth about what should run and what ran.

`Store` is the sum of its roles, which every backend keeps; only the wiring names it. Everybody else
names the role that is needed, and gets it from `Roles`.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from beatd.catalog import EditableCatalog, RepairableCatalog, Wake
from beatd.ledger import Claims, History, Ledger, Requests, Terms
from beatd.marks import MarkRows
from beatd.presence import Presences


class Place(Protocol):
    """The place where a store lies: a file, a database, a server."""

    def new_identity(self) -> UUID:
        """Another namespace, after the place was cloned, for whoever begins a term from here on."""

    def watch(self, wake: Wake) -> bool:
        """Call `wake` soon after any change made by others; False where the store cannot tell."""

    def problems(self) -> Sequence[str]:
        """What `beatd check` should say: a disk that is slow or nearly full, an eviction policy,
        entries this program cannot read. These are looked for among the ten thousand that are
        next: as nobody claims them, they come to the front there by themselves."""

    def close(self) -> None: ...


class Store(
    EditableCatalog,
    RepairableCatalog,
    Ledger,
    Claims,
    Requests,
    History,
    Terms,
    Presences,
    MarkRows,
    Place,
    Protocol,
):
    """All roles in one object. Raises StoreError while the place cannot be reached."""


class Roles(Struct, frozen=True):
    """An open store, role by role."""

    catalog: EditableCatalog
    repair: RepairableCatalog
    ledger: Ledger
    claims: Claims
    requests: Requests
    history: History
    terms: Terms
    presences: Presences
    place: Place

    @classmethod
    def of(cls, store: Store) -> "Roles":
        return cls(
            catalog=store,
            repair=store,
            ledger=store,
            claims=store,
            requests=store,
            history=store,
            terms=store,
            presences=store,
            place=store,
        )
