"""A store of entries, plans, claims and history, shared by all daemons and commands.

`Store` is the sum of its parts, which every backend implements; only the wiring uses it. All other
code names the one part that it needs, and gets it from `Roles`.
"""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from beatd.catalog import EditableCatalog, RepairableCatalog, Wake
from beatd.incident import Incidents
from beatd.ledger import Claims, History, Ledger, Requests, Terms
from beatd.marks import MarkRows
from beatd.outcome import Outcomes
from beatd.presence import Presences


class Place(Protocol):
    """The file, database or server of a store."""

    def new_identity(self) -> UUID:
        """Write a new random namespace (of the task ids) into the store, and return it.

        Every later term uses it. A copy of a store needs this, so that the two make different ids.
        """

    def watch(self, wake: Wake) -> bool:
        """Call `wake` soon after each change that another process makes.

        Return False if this store cannot notice such changes.
        """

    def problems(self) -> Sequence[str]:
        """Return one line of text for each problem that `beatd check` should show.

        Examples are a slow or full disk, an eviction policy, or entries that this program cannot
        read. Unreadable entries are searched among the next ten thousand rows of the plan. No
        daemon claims them, so that they soon are the earliest rows of the plan.
        """

    def close(self) -> None: ...


class Store(
    EditableCatalog,
    RepairableCatalog,
    Ledger,
    Claims,
    Requests,
    History,
    Outcomes,
    Incidents,
    Terms,
    Presences,
    MarkRows,
    Place,
    Protocol,
):
    """The complete interface of a store; its methods raise StoreError while it cannot be
    reached."""


class Roles(Struct, frozen=True):
    """An open store, with one field for each part of its interface."""

    catalog: EditableCatalog
    repair: RepairableCatalog
    ledger: Ledger
    claims: Claims
    requests: Requests
    history: History
    outcomes: Outcomes
    incidents: Incidents
    terms: Terms
    presences: Presences
    place: Place

    @classmethod
    def of(cls, store: Store) -> "Roles":
        """Return `store` as a Roles object; each of its fields is `store` itself."""
        return cls(
            catalog=store,
            repair=store,
            ledger=store,
            claims=store,
            requests=store,
            history=store,
            outcomes=store,
            incidents=store,
            terms=store,
            presences=store,
            place=store,
        )
