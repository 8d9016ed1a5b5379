"""What should run: entries by name, and a version that changes if and only if they do."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from beatd.clock import StoreClock
from beatd.entry import Entry
from beatd.marks import Marks
from beatd.run import Skip


class Plan(Struct, frozen=True):
    """The next moment of an entry, and what it was reckoned from.

    `planned` makes the id; `due` (planned + jitter) is what order, lateness and grace count from.
    Both None = nothing ahead: finished. `due` alone None = paused or disabled, and `planned` is the
    moment it had reached.
    """

    planned: datetime | None
    due: datetime | None
    fingerprint: str
    rules: str


class Progress(Struct, frozen=True):
    """How far an entry has come; it moves with every claim, as a revision does not."""

    planned: datetime | None = None
    runs: int = 0
    last: datetime | None = None


class Stored(Struct, frozen=True):
    """An entry as the store has it; `revision` grows with every change to it or to its pause, and
    never repeats, not even for a name that was removed and added again.

    `last` is the newest planned moment among the runs that `runs` counts.
    """

    entry: Entry
    revision: int
    paused: bool
    plan: Plan
    runs: int
    last: datetime | None

    @property
    def progress(self) -> Progress:
        return Progress(self.plan.planned, self.runs, self.last)


class Change(Struct, frozen=True):
    """One entry put, re-planned, paused or removed.

    Done only if the entry is at revision `seen` (0 = there is none), so that a change made from
    something old is refused and can be made again from what is there now. `entry` None = remove.
    `plan` None = the moment stays where it is. A plan for what is there already is put only while
    the row has come just as far as `progress`, from which it was reckoned: put after a claim, it
    would set the entry back to a moment that ran. A backlog of the entry is dropped when a plan
    comes with a new fingerprint (edited), or makes due again what was not (resumed). A disabled or
    paused entry is never due, whatever plan came with it; `planned` stays, so that what it passes
    over can be told when it goes on, which needs a plan. `skip` is what this change passes over; it
    goes to the history if the plan still stood at its first moment, and was not claimed since.
    `missed` is the only moment of a definition that came too late for it; it goes to the history.
    `calls_off` drops its backfills (called off). Removing an entry drops its requests (removed) and
    leaves its open claims; what is dropped goes to the history as skipped. `runs` and `last` are
    what a new entry did under the scheduler it came from; for one that is there already they change
    nothing.
    """

    name: str
    seen: int
    entry: Entry | None
    plan: Plan | None = None
    paused: bool = False
    runs: int = 0
    last: datetime | None = None
    skip: Skip | None = None
    calls_off: bool = False
    progress: Progress = Progress()
    missed: Skip | None = None


class MissingPart(Struct, frozen=True):
    """An entry that lost a part behind the store's back: its definition is left without a plan, or,
    where `entry` is None, its plan without a definition."""

    name: str
    entry: Entry | None
    paused: bool = False


class Query(Struct, frozen=True, kw_only=True):
    """Which entries, in which order; everything given must hold."""

    names: tuple[str, ...] | None = None
    name_like: str | None = None  # shell pattern: * and ?
    task_like: str | None = None
    source: str | None = None
    due_before: datetime | None = None
    rules_before: str | None = None  # planned by rules older than these
    enabled: bool | None = None  # False: disabled or paused
    order: Literal["name", "next"] = "name"
    limit: int | None = None


class EntryFinder(Protocol):
    """Entries by name, task, source and state."""

    def find(self, query: Query) -> Iterator[Stored]:
        """A stream in the query's order (next: soonest first, nothing ahead last, then by name);
        memory does not grow with it."""


class Catalog(EntryFinder, Protocol):
    """The entries of a store, to be read: what `status` and lists need."""

    def version(self) -> str:
        """Return a text that changes if and only if an entry does."""

    def count(self) -> int:
        """How many entries there are, those included that this program cannot read."""


class EntryWriter(Protocol):
    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        """Each change whole or not at all, in order; False where the entry was not at the revision
        seen. An entry of which a part is missing counts as none (0), and goes with the change."""


class EditableCatalog(Catalog, EntryWriter, StoreClock, Protocol):
    """The entries of a store, to be changed: what edits and declared sets need."""

    @property
    def marks(self) -> Marks:
        """What the store remembers of the sets that were applied."""


class RepairableCatalog(EntryWriter, Protocol):
    """What a leader needs to repair a store that lost something."""

    def missing_parts(self, limit: int, *, whole: bool) -> Sequence[MissingPart]:
        """Entries that lost a part, looked for among all entries if `whole`, else among a few
        where that is much cheaper. What can be made of the rest, such as an index, is."""

    def losses(self) -> Sequence[str]:
        """Return a line for each loss that this handle found and no entry shows; no server is
        asked."""


class Codec(Protocol):
    """Between an entry and the plain data a store keeps; handed to stores by the wiring."""

    def encode(self, entry: Entry) -> bytes:
        """JSON of the definition as YAML has it, without name, source and declared_at."""

    def decode(self, name: str, definition: bytes, source: str, declared_at: str) -> Entry:
        """Raises ConfigError for a definition of a newer program, or one changed by hand, and
        StoreError where this process cannot open a file it takes."""


Wake = Callable[[], None]
