"""A store of entries, plans, claims and history, shared by all daemons and commands.

`Store` is the sum of its parts, which every backend implements; only the wiring uses it. Other code
uses one part of a store, which it gets from `Roles`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from beatd.catalog import EditableCatalog, RepairableCatalog, Wake
from beatd.changes import ChangeRecord, Changes
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
        """Write a new random namespace (for the task ids) into the store, and return it.

        Every leader that begins later uses this namespace. A copy of a store needs a new one, so
        that the two stores make different task ids.
        """

    def watch(self, wake: Wake) -> bool:
        """Call `wake` soon after each change that another process makes.

        Return False if this store cannot notice such changes.
        """

    def problems(self) -> Sequence[str]:
        """Return one line of text for each problem that `beatd check` should show.

        Examples are a slow or full disk, an eviction policy, or entries that this program cannot
        read. Unreadable entries are searched only in the next ten thousand rows of the plan. That
        is enough: no daemon claims such entries, so their rows soon are the earliest of the plan.
        """

    def close(self) -> None: ...


class WrittenRecord(Struct, frozen=True):
    """A record of history as a store keeps it.

    `place` is the position of the record in this store; `RecordCopies.records` can continue after
    it. `at` is the time when it was written, by which old records are deleted.
    """

    place: str
    at: datetime
    record: Record


class RecordCopies(Protocol):
    """The part of a store that reads and writes records of history unchanged, for a copy of the
    store."""

    @property
    def most_records(self) -> int | None:
        """The maximum number of records of history in this store; None if there is no limit."""

    def records(self, after: str) -> Iterator[WrittenRecord]:
        """Yield the records that were written after the one at the place `after` ("": all records).

        The oldest record comes first. Open claims (claimed, not recorded) are not included.
        """

    def write_records(self, records: Sequence[WrittenRecord], mark: Mark, seen: Mark) -> bool:
        """Append these records and replace the mark `seen` by `mark` (a short note), in one
        transaction.

        Return True if the records are in the store. If the store already has `mark`, an earlier
        call wrote them, and nothing is written again. Return False, with nothing written, if the
        store has any other mark under this key.
        """


class Copies(MarkRows, Protocol):
    """The part of a store that copies data which no other part can write directly.

    These are data that normally change only when runs are claimed or end. Each write may be
    repeated. Write only to a store that no daemon uses.
    """

    def write_changes(self, records: Sequence[ChangeRecord]) -> None:
        """Append these records of changes, which are sorted with the oldest first, under new ids.

        A record is left out if the store has one with the same name and `at`.
        """

    def write_entry_outcomes(self, outcomes: Sequence[EntryOutcome]) -> None:
        """Write the newest outcomes of these entries unchanged; the entries must exist."""

    def write_running(self, running: Mapping[str, Running]) -> None:
        """Write the running runs of these entries unchanged; the entries must exist, and plans do
        not change."""

    def all_marks(self) -> Sequence[Mark]:
        """Return all marks (short notes under a key) that can be read."""

    def write_identity(self, namespace: UUID, newest: tuple[Term, Holder] | None) -> None:
        """Write the namespace of task ids and, if `newest` is given, the newest term with its
        holder.

        A term is the fencing number of a leader. The number in the store never becomes smaller.
        """


class Store(
    EditableCatalog,
    RepairableCatalog,
    Ledger,
    Claims,
    Requests,
    History,
    Outcomes,
    Incidents,
    Changes,
    Terms,
    Presences,
    RecordCopies,
    Copies,
    Place,
    Protocol,
):
    """The complete interface of a store.

    Its methods raise StoreError while the store cannot be reached.
    """


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
    changes: Changes
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
            changes=store,
            terms=store,
            presences=store,
            place=store,
            records=store,
            copies=store,
        )
