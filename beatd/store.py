"""A store of entries, plans, claims and history, shared by all daemons and commands.

`Store` is the sum of its parts, which every backend implements; only the wiring uses it. All other
code names the one part that it needs, and gets it from `Roles`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from beatd.catalog import EditableCatalog, RepairableCatalog, Wake
from beatd.incident import Incidents
from beatd.leader import Holder, Term
from beatd.ledger import Claims, History, Ledger, Record, Requests, Terms
from beatd.marks import Mark, MarkRows
from beatd.outcome import EntryOutcome, Outcomes
from beatd.presence import Presences
from beatd.run import Running


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


class WrittenRecord(Struct, frozen=True):
    """A record of history as a store keeps it.

    `place` is its place in this store, from which `Copies.records` can go on. `at` is the time when
    it was written, by which old records are deleted.
    """

    place: str
    at: datetime
    record: Record


class RecordCopies(Protocol):
    """The part of a store that reads and writes records of history as they are, for a copy."""

    @property
    def most_records(self) -> int | None:
        """The number of records of history that this store keeps; None if there is no limit."""

    def records(self, after: str) -> Iterator[WrittenRecord]:
        """Yield the records that were written after the one at the place `after` ("": all), the
        first written first. Open claims are no records."""

    def write_records(self, records: Sequence[WrittenRecord], mark: Mark, seen: Mark) -> bool:
        """Write these records behind all others and the mark in place of `seen`, both or neither.

        Return True if they are written, also if an earlier call wrote them: the store has `mark`
        already then, and nothing is done. Return False, with nothing done, if the store has
        another mark under this key.
        """


class Copies(MarkRows, Protocol):
    """The part of a store that reads and writes what else only a copy needs, as it is.

    Most of a copy goes through the other parts. These methods write what those change only as a
    consequence of runs.

    All of the writes may be repeated. The store that is written to has no daemon.
    """

    def write_entry_outcomes(self, outcomes: Sequence[EntryOutcome]) -> None:
        """Write the newest outcomes of these entries, which exist, as they are."""

    def write_running(self, running: Mapping[str, Running]) -> None:
        """Write the running runs of these entries, which exist, as they are; plans stay."""

    def all_marks(self) -> Sequence[Mark]:
        """Return every mark that can be read."""

    def write_identity(self, namespace: UUID, newest: tuple[Term, Holder] | None) -> None:
        """Write the namespace of task ids and, if `newest` is given, the newest term with its
        holder. The number of the term never becomes smaller."""


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
    RecordCopies,
    Copies,
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
    records: RecordCopies
    copies: Copies

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
            records=store,
            copies=store,
        )
