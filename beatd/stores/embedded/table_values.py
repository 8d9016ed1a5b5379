"""The types of changes that a store in memory can make; each writes or deletes one kind of row.

A list of all applied changes is a journal, and a list of all existing rows is a snapshot.
"""

from datetime import datetime

from msgspec import Raw, Struct

from beatd.catalog import Plan, Progress
from beatd.changes import ChangeRecord, Pause
from beatd.entry import Moment
from beatd.history import Record
from beatd.incident import Incident, IncidentKind
from beatd.leader import Holder, Term
from beatd.ledger import Request
from beatd.marks import Mark
from beatd.outcome import Delivery, EntryOutcome
from beatd.run import Occurrence, Origin, Running


class Value(Struct, frozen=True, gc=False):
    """The base class of all changes that `Tables.put` makes in a store in memory."""


class Identity(Value, frozen=True):
    """A change that sets the UUID of the store, from which the task ids of runs are computed."""

    namespace: str


class Version(Value, frozen=True):
    """A change that sets the store's revision number, which grows with each edit of an entry."""

    number: int


class Defined(Value, frozen=True):
    """A change that writes the definition, state and owner of an entry; `source` is the owner.

    `pause` is None if the entry is not paused, or if nobody knows who paused it. An older beatd
    leaves it out when it writes an entry.
    """

    name: str
    revision: int
    source: str
    declared_at: str
    enabled: bool
    paused: bool
    definition: Raw
    pause: Pause | None = None

    @property
    def pause_end(self) -> datetime | None:
        return None if self.pause is None or not self.paused else self.pause.until


class Planned(Value, frozen=True):
    """A change that writes the next run of an entry, its number of runs and its last run."""

    name: str
    plan: Plan
    runs: int
    last: Moment | None

    @property
    def progress(self) -> Progress:
        return Progress(self.plan.planned, self.runs, self.last)


class Removed(Value, frozen=True):
    """A change that deletes an entry with its definition, next run, running run and outcome."""

    name: str


class Claimed(Value, frozen=True):
    """A change that reserves a run for sending, before its outcome is known.

    `term` is the number of the leader that reserved it. `unsent` is True if the message was
    certainly not sent.
    """

    occurrence: Occurrence
    task_id: str
    due: Moment
    claimed_at: Moment
    term: int
    unsent: bool
    origin: Origin = "planned"


class Closed(Value, frozen=True):
    """A change that ends the reservation of a run, because its outcome is recorded."""

    occurrence: Occurrence


class Asked(Value, frozen=True):
    """A change that adds a request to run an entry."""

    request: Request


class Done(Value, frozen=True):
    """A change that deletes a request to run an entry."""

    id: str


class Line(Value, frozen=True):
    """A change that writes a record of the history at the time `at`.

    `claim` names the reserved run whose outcome it is, or is None; a later result of this run may
    replace the record.
    """

    number: int
    at: Moment
    record: Record
    claim: Occurrence | None

    @property
    def name(self) -> str:
        return self.record.name


class Forgotten(Value, frozen=True):
    """A change that deletes the records of history with the numbers `first` to `last`, both
    included."""

    first: int
    last: int


class ChangeRow(Value, frozen=True):
    """A change that writes a record of who changed an entry and how."""

    number: int
    record: ChangeRecord

    @property
    def at(self) -> datetime:
        return self.record.at

    @property
    def name(self) -> str:
        return self.record.name


class ChangesForgotten(Value, frozen=True):
    """A change that deletes the records of edits with the numbers `first` to `last`, both
    included."""

    first: int
    last: int


class NextChange(Value, frozen=True):
    """A change that sets the number of the next record of an edit.

    So no number repeats after all records were deleted.
    """

    number: int


class Termed(Value, frozen=True):
    """A change that sets which daemon leads, and its number among all leaders so far."""

    term: Term
    holder: Holder


class Marked(Value, frozen=True):
    """A change that writes a short note under a key, such as a hash of the entries in a YAML
    file."""

    mark: Mark


class RunningRow(Value, frozen=True):
    """A change that writes which run of an entry is running. Entries with `overlap: allow` have
    none."""

    name: str
    running: Running


class MarkGone(Value, frozen=True):
    """A change that deletes the short note under `key`."""

    key: str


class RunningGone(Value, frozen=True):
    """A change that ends the running run of an entry."""

    name: str


class DeliveryRow(Value, frozen=True):
    """A change that writes what a worker reported about a run that it received."""

    delivery: Delivery


class DeliveryGone(Value, frozen=True):
    """A change that deletes what a worker reported about a run that it received."""

    task_id: str
    delivery: str


class OutcomeRow(Value, frozen=True):
    """A change that writes how the newest run of an entry ended."""

    outcome: EntryOutcome


class IncidentRow(Value, frozen=True):
    """A change that writes an incident, which is a problem that lasts for some time."""

    incident: Incident


class IncidentGone(Value, frozen=True):
    """A change that deletes an incident, which is a problem that lasts for some time."""

    kind: IncidentKind
    name: str
    opened: Moment


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
    | ChangeRow
    | ChangesForgotten
    | NextChange
    | Termed
    | Marked
    | MarkGone
    | RunningRow
    | RunningGone
    | DeliveryRow
    | DeliveryGone
    | OutcomeRow
    | IncidentRow
    | IncidentGone
)
