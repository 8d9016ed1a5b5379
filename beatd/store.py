"""A store: entries, plans, claims and history, shared by all daemons and commands.

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
        """Write and return another namespace, which every later term uses; a cloned store needs
        it."""

    def watch(self, wake: Wake) -> bool:
        """Call `wake` soon after each change that others make; return False if the store cannot
        notice them."""

    def problems(self) -> Sequence[str]:
        """Return a line for each problem that `beatd check` should show, such as a slow or full
        disk, an eviction policy, or entries that this program cannot read.

        Unreadable entries are looked for among the next ten thousand. Nobody claims them, so they
        come to the front of the plan by themselves.
        """

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
