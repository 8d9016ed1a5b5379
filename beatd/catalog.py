"""What should run: entries by name, and a version that changes if and only if they do."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from beatd.clock import SharedClock
from beatd.entry import Entry
from beatd.marks import Marks
from beatd.run import Skip


class Plan(Struct, frozen=True):
    """The next moment of an entry, and the definition and rules that it was computed from.

    `planned` makes the task id; order, lateness and grace count from `due` (planned + jitter).
    Both are None when nothing is ahead: the entry is finished. `due` alone is None when the entry
    is paused or disabled; `planned` is then the moment that the entry had reached.
    """

    planned: datetime | None
    due: datetime | None
    fingerprint: str
    rules: str


class Progress(Struct, frozen=True):
    """How far an entry has come. Every claim changes it; a claim leaves the revision as it is."""

    planned: datetime | None = None
    runs: int = 0
    last: datetime | None = None


class Stored(Struct, frozen=True):
    """An entry as the store has it.

    `revision` grows with every change to the entry or to its pause. A revision never repeats, not
    even for a name that was removed and added again. `last` is the newest planned moment among the
    runs that `runs` counts.
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
    """One entry written, re-planned, paused or removed.

    The store makes the change only if the entry is at revision `seen` (0: there is no such entry).
    A change made from an older revision is refused, and can be made again from the newest one.

    - `entry` None removes the entry. Its requests are dropped (removed), its open claims stay.
    - `plan` None leaves the moment where it is. The plan of an entry that exists is written only if
      the row has come just as far as `progress`: written after another claim, it would set the
      entry back to a moment that ran.
    - A plan with another fingerprint (edited), or one that makes the entry due again (resumed),
      drops the entry's backlog.
    - A disabled or paused entry is never due, whatever its plan. Its `planned` stays, so that the
      history can tell what the pause skipped when a plan comes again.
    - `skip` is the stretch that this change skips. It is recorded if the plan still stands at the
      first moment of the stretch, and nothing was claimed since.
    - `missed` is the only moment of a definition that came too late for it. It is recorded.
    - `calls_off` drops the entry's backfills (called off).
    - `runs` and `last` of a new entry come from its earlier scheduler; an entry that exists ignores
      them.

    Everything dropped is recorded as skipped.
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
    """An entry of which a row was deleted behind beatd's back: its plan is missing, or, when
    `entry` is None, its definition."""

    name: str
    entry: Entry | None
    paused: bool = False


class Query(Struct, frozen=True, kw_only=True):
    """Which entries to find, in which order. An entry must meet every condition that is given."""

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
    """The role of finding entries by name, task, source and state."""

    def find(self, query: Query) -> Iterator[Stored]:
        """Yield the entries in the query's order. Memory does not grow with their number.

        In the order "next", entries come by due moment, those with nothing ahead last, equal ones
        by name.
        """


class Catalog(EntryFinder, Protocol):
    """The entries of a store, to be read: what `status` and lists need."""

    def version(self) -> str:
        """Return a text that changes if and only if an entry does."""

    def count(self) -> int:
        """Return the number of entries, including those that this program cannot read."""


class EntryWriter(Protocol):
    """The role of changing entries."""

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        """Make the changes in order, each whole or not at all; return for each True if it was made.

        False: the entry was not at the revision seen. An entry of which a part is missing counts
        as no entry (0); the change replaces its other part.
        """


class EditableCatalog(Catalog, EntryWriter, SharedClock, Protocol):
    """The entries of a store, to be changed: what edits and declared sets need."""

    @property
    def marks(self) -> Marks:
        """What the store remembers of the sets that were applied."""


class RepairableCatalog(EntryWriter, Protocol):
    """What a leader needs to repair a store that lost something."""

    def missing_parts(self, limit: int, *, whole: bool) -> Sequence[MissingPart]:
        """Return entries of which a part is missing, and mend indexes that can be made again.

        If `whole` is True, every entry is looked at; if False, a store may look at a few, where
        that is much cheaper.
        """

    def losses(self) -> Sequence[str]:
        """Return a line for each loss that this handle found and no entry shows; no server is
        asked."""


class Codec(Protocol):
    """Turn an entry into the plain data that a store keeps, and back. The wiring gives it to
    stores."""

    def encode(self, entry: Entry) -> bytes:
        """Return the definition as JSON in the form of YAML, without name, source and
        declared_at."""

    def decode(self, name: str, definition: bytes, source: str, declared_at: str) -> Entry:
        """Return the entry of a definition.

        Raise ConfigError for a definition of a newer program, or one changed by hand, and
        StoreError when this process cannot open a file that decoding needs.
        """


Wake = Callable[[], None]
