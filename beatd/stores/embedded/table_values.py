"""The values that change the tables of a store in memory. Each value writes or deletes rows.

A list of all applied values is therefore a journal, and a list of all existing rows is a snapshot.
"""

from datetime import datetime

from msgspec import Raw, Struct

from beatd.catalog import Plan, Progress
from beatd.incident import Incident, IncidentKind
from beatd.leader import Holder, Term
from beatd.ledger import Record, Request
from beatd.marks import Mark
from beatd.outcome import Delivery, EntryOutcome
from beatd.run import Occurrence, Origin, Running


class Value(Struct, frozen=True, gc=False):
    """The base class of the values (rows to write or to delete) that `Tables.put` accepts."""


class Identity(Value, frozen=True):
    """Sets the namespace (a UUID) of the store. The task ids of runs are computed from the
    namespace."""

    namespace: str


class Version(Value, frozen=True):
    """Sets the store's revision number, which grows with each edit of an entry."""

    number: int


class Defined(Value, frozen=True):
    """Writes the definition, state and owner (`source`) of an entry. A claim of a run never changes
    these."""

    name: str
    revision: int
    source: str
    declared_at: str
    enabled: bool
    paused: bool
    definition: Raw


class Planned(Value, frozen=True):
    """Writes the plan (the next run) of an entry, the number of its runs and its last run. Each
    claim of a planned run writes these, so they are stored apart from the definition."""

    name: str
    plan: Plan
    runs: int
    last: datetime | None

    @property
    def progress(self) -> Progress:
        return Progress(self.plan.planned, self.runs, self.last)


class Removed(Value, frozen=True):
    """Deletes an entry: its definition, plan (the next run), running run and outcome."""

    name: str


class Claimed(Value, frozen=True):
    """Writes an open claim (a run that was claimed and not recorded). `unsent` is True if its
    message certainly did not go out. `term` is the fencing number of the leader that claimed the
    run."""

    occurrence: Occurrence
    task_id: str
    due: datetime
    claimed_at: datetime
    term: int
    unsent: bool
    origin: Origin = "planned"


class Closed(Value, frozen=True):
    """Deletes the open claim (claimed, not recorded) of an occurrence."""

    occurrence: Occurrence


class Asked(Value, frozen=True):
    """Writes a pending request (moments of an entry to run besides its plan)."""

    request: Request


class Done(Value, frozen=True):
    """Deletes a request."""

    id: str


class Line(Value, frozen=True):
    """Writes a record of history; `at` is the time of the write. `claim` is the claimed occurrence
    that the record closed, or None. A later result for this occurrence may replace the record."""

    number: int
    at: datetime
    record: Record
    claim: Occurrence | None


class Forgotten(Value, frozen=True):
    """Deletes the records of history with the numbers `first` to `last`, both included."""

    first: int
    last: int


class Termed(Value, frozen=True):
    """Writes the newest term (the fencing number of a leader) and the daemon that leads with it."""

    term: Term
    holder: Holder


class Marked(Value, frozen=True):
    """Writes a mark, and replaces the mark with the same key. A mark is a small note of the store,
    such as the digest of the entries that a source declared."""

    mark: Mark


class RunningRow(Value, frozen=True):
    """Writes the running run of an entry whose `overlap` is not "allow"."""

    name: str
    running: Running


class RunningGone(Value, frozen=True):
    """Deletes the running run of an entry."""

    name: str


class DeliveryRow(Value, frozen=True):
    """Writes one delivery: the transfer of a run's message to a worker, and its state."""

    delivery: Delivery


class DeliveryGone(Value, frozen=True):
    """Deletes one delivery (the transfer of a run's message to a worker)."""

    task_id: str
    delivery: str


class OutcomeRow(Value, frozen=True):
    """Writes the newest outcome of an entry's runs. `Removed` deletes it."""

    outcome: EntryOutcome


class IncidentRow(Value, frozen=True):
    """Writes an incident (a problem that lasts for some time)."""

    incident: Incident


class IncidentGone(Value, frozen=True):
    """Deletes an incident (a problem that lasts for some time)."""

    kind: IncidentKind
    name: str
    opened: datetime


AnyValue = (
    Identity
    | Version
    | Defined
    | Planned
    | Removed
    | Claimed
    | Closed
    | Asked
    | Done
    | Line
    | Forgotten
    | Termed
    | Marked
    | RunningRow
    | RunningGone
    | DeliveryRow
    | DeliveryGone
    | OutcomeRow
    | IncidentRow
    | IncidentGone
)
