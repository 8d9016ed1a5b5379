"""The interface of a store, which keeps entries, their next runs and their history for all daemons.

Every backend implements `Store`, the sum of all parts. Only the wiring uses `Store`; other code
uses one part, which it gets from `Roles`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from beatd.catalog import EditableCatalog, PlanFinder, RepairableCatalog, Wake
from beatd.changes import ChangeRecord, Changes
from beatd.history import History, Record
from beatd.incident import Incidents
from beatd.leader import Holder, Term
from beatd.ledger import Claims, Ledger, Requests, Terms
from beatd.marks import Mark, MarkRows
from beatd.outcome import EntryOutcome, EntryOutcomes, Outcomes
from beatd.presence import Presence, Presences, leading
from beatd.run import Running


class Place(Protocol):
    """The part of a store's interface that is about its file, database or server as a whole."""

    def new_identity(self) -> UUID:
        """Write a new random UUID into the store as the namespace of its task ids, and return it.

        Every leader that begins later uses it. A copied store needs a new one, so that the two
        stores make different task ids.
        """

    def watch(self, wake: Wake) -> bool:
        """Call `wake` soon after each change that another process makes.

        Return False if this store cannot notice such changes, else True.
        """

    def problems(self) -> Sequence[str]:
        """Return one line of text for each problem of the store that `beatd check` should show.

        Examples are a slow or full disk, an eviction policy, or entries that this program cannot
        read. Only the ten thousand entries that are due first are checked for the latter: no daemon
        runs unreadable entries, so they soon are the first ones.
        """

    def close(self) -> None: ...


class WrittenRecord(Struct, frozen=True):
    """A record of a store's history with its position, `place`, for copying the history.

    `at` is when the record was written, from which its age counts.
    """

    place: str
    at: datetime
    record: Record


class RecordCopies(Protocol):
    """The part of a store's interface that reads and writes history records, to copy them
    unchanged."""

    @property
    def most_records(self) -> int | None:
        """The maximum number of history records that this store keeps, or None if there is no
        limit."""

    def records(self, after: str) -> Iterator[WrittenRecord]:
        """Yield the history records written after the position `after`, oldest first; "" means all.

        Runs that are reserved for sending but have no outcome yet are left out.
        """

    def write_records(self, records: Sequence[WrittenRecord], mark: Mark, seen: Mark) -> bool:
        """Append these records and replace the note `seen` by `mark`, both or neither.

        A note is a short text under a key. Return True if the records are in the store; if it
        already has `mark`, an earlier call wrote them. Return False, and write nothing, if the
        store has any other note under this key.
        """

    def write_changes(self, records: Sequence[ChangeRecord]) -> None:
        """Append these records of changes, which are sorted with the oldest first, under new ids.

        A record is left out if the store has one with the same name and `at`.
        """


class Copies(MarkRows, Protocol):
    """The part of a store's interface that writes the content of another store, to make a copy.

    Each write may be repeated. Write only to a store that no daemon uses.
    """

    def write_entry_outcomes(self, outcomes: Sequence[EntryOutcome]) -> None:
        """Write the newest outcomes of entries unchanged; the entries must exist."""

    def write_running(self, running: Mapping[str, Running]) -> None:
        """Write which run of each entry is running. The entries must exist; when they run next is
        unchanged."""

    def all_marks(self) -> Sequence[Mark]:
        """Return all marks of the store, which are short notes under a key; unreadable ones are
        left out."""

    def write_identity(self, namespace: UUID, newest: tuple[Term, Holder] | None) -> None:
        """Write the UUID from which task ids are made and, if given, which daemon became the leader
        last.

        A term is the number of a leader. The number in the store never becomes smaller.
        """


class Store(
    EditableCatalog,
    PlanFinder,
    RepairableCatalog,
    Ledger,
    Claims,
    Requests,
    History,
    Outcomes,
    EntryOutcomes,
    Incidents,
    Changes,
    Terms,
    Presences,
    RecordCopies,
    Copies,
    Place,
    Protocol,
):
    """The complete interface of a store, which each kind of store implements.

    Its methods raise StoreError while the store cannot be reached.
    """


class Roles(Struct, frozen=True):
    """An open store, offered as one field for each part of its interface."""

    catalog: EditableCatalog
    plans: PlanFinder
    repair: RepairableCatalog
    ledger: Ledger
    claims: Claims
    requests: Requests
    history: History
    outcomes: Outcomes
    entry_outcomes: EntryOutcomes
    incidents: Incidents
    changes: Changes
    terms: Terms
    presences: Presences
    place: Place
    records: RecordCopies
    copies: Copies

    @classmethod
    def of(cls, store: Store) -> "Roles":
        """Return a Roles object in which each part of the interface is `store` itself."""
        return cls(
            catalog=store,
            plans=store,
            repair=store,
            ledger=store,
            claims=store,
            requests=store,
            history=store,
            outcomes=store,
            entry_outcomes=store,
            incidents=store,
            changes=store,
            terms=store,
            presences=store,
            place=store,
            records=store,
            copies=store,
        )

    def leader(self) -> Presence | None:
        """Return the description of the daemon that leads, or None if no daemon leads."""
        term = self.terms.term()
        return None if term is None else leading(self.presences.daemons(), term[1])
