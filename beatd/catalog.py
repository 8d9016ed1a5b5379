"""The catalog of a store: values of entries and plans, and the roles of reading and changing
them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from beatd.clock import SharedClock
from beatd.entry import Entry
from beatd.marks import Marks
from beatd.run import Skip


class Plan(Struct, frozen=True):
    """The next moment of an entry, and the definition and rules from which it was computed.

    `planned` makes the task id; order, lateness and grace count from `due` (planned + jitter). Both
    are None when the entry is finished: no moment is ahead. `due` alone is None when the entry is
    paused or disabled; `planned` is then the moment that the entry had reached. `fingerprint` is a
    digest of the fields that decide when the entry runs, `rules` is the value of `planning.RULES`.
    """

    planned: datetime | None
    due: datetime | None
    fingerprint: str
    rules: str


class Progress(Struct, frozen=True):
    """The progress of an entry. Each claim of a planned run changes it, without a new revision.

    `planned` is the next moment, `runs` the number of runs that count towards `max_runs`, and
    `last` the newest planned moment among these runs.
    """

    planned: datetime | None = None
    runs: int = 0
    last: datetime | None = None


class Stored(Struct, frozen=True):
    """An entry as a store returns it: the definition, its plan and its progress.

    `revision` grows with every change to the entry or to its pause. A revision never repeats, not
    even for a name that was removed and added again. `runs` counts towards `max_runs`; `last` is
    the newest planned moment among these runs.
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
    """A change of one entry: write, re-plan, pause or remove it.

    The store makes the change only if the entry is at revision `seen` (0: there is no such entry).
    It refuses a change made from an older revision; the caller may read the entry and try again.

    - `entry` None removes the entry. Its requests are dropped with the reason "removed"; its open
      claims (claimed, not recorded) stay.
    - `plan` None leaves the entry's plan as it is. The plan of an existing entry is written only if
      the entry's progress still equals `progress`: after another claim, the plan would set the
      entry back to a moment that ran.
    - A plan with another fingerprint (edited), or one that makes the entry due again (resumed),
      drops the entry's backlog.
    - A disabled or paused entry is never due, whatever its plan. Its `planned` stays, so that a
      later plan can record which moments the pause skipped.
    - `runs` and `last` of a new entry come from its earlier scheduler; they are ignored for an
      entry that exists.
    - `skip` is the stretch of moments that this change skips. It is recorded if the plan is still
      at the first moment of the stretch, and nothing was claimed since.
    - `calls_off` True drops the entry's backfills with the reason "called off".
    - `missed` is the only moment of the new definition when that moment is already past. It is
      recorded as skipped.

    Every moment that a change drops is recorded as skipped.
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
    """An entry that lost one of its two rows, such as by a deletion outside beatd.

    `entry` None: the definition is missing. Otherwise the plan is missing; `entry` and `paused`
    hold the rest.
    """

    name: str
    entry: Entry | None
    paused: bool = False


class Query(Struct, frozen=True, kw_only=True):
    """A search for entries: the conditions, all of which an entry must meet, and the order.

    A condition that is None is not applied.
    """

    names: tuple[str, ...] | None = None  # exact names
    name_like: str | None = None  # shell pattern: * and ?
    task_like: str | None = None  # shell pattern, too
    source: str | None = None
    due_before: datetime | None = None
    rules_before: str | None = None  # the plan was computed by an older `planning.RULES`
    enabled: bool | None = None  # False: disabled or paused
    order: Literal["name", "next"] = "name"
    limit: int | None = None


class EntryFinder(Protocol):
    """The role of finding entries by name, task, source and state."""

    def find(self, query: Query) -> Iterator[Stored]:
        """Yield the matching entries in the query's order; memory does not grow with their number.

        In the order "next", entries come by due moment and then by name; entries without one come
        last.
        """


class Catalog(EntryFinder, Protocol):
    """The role of reading entries, which `status` and lists use."""

    def version(self) -> str:
        """Return a text that changes if and only if any entry changes."""

    def count(self) -> int:
        """Return the number of entries, including those that this program cannot read."""


class EntryWriter(Protocol):
    """The role of changing entries."""

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        """Make the changes in order, each completely or not at all; return True for each one made.

        False: the entry was not at revision `seen`. An entry that lost its definition or its plan
        counts as no entry (revision 0); the change replaces the part that is left.
        """


class EditableCatalog(Catalog, EntryWriter, SharedClock, Protocol):
    """The role of reading and changing entries, which edits and the declarations of sources use."""

    @property
    def marks(self) -> Marks:
        """The store's marks: notes about the sets of entries that sources declared and applied."""


class RepairableCatalog(EntryWriter, Protocol):
    """The role of finding and repairing entries of which a store lost a part."""

    def missing_parts(self, limit: int, *, whole: bool) -> Sequence[MissingPart]:
        """Return up to `limit` entries of which a part is missing, and rebuild damaged indexes.

        If `whole` is True, every entry is checked; if False, a store may check only a few, where
        that is much cheaper.
        """

    def losses(self) -> Sequence[str]:
        """Return a line for each loss that this store object noticed and that no entry shows. No
        server is queried."""


class Codec(Protocol):
    """Converts entries to the bytes that a store keeps, and back. The wiring passes it to
    stores."""

    def encode(self, entry: Entry) -> bytes:
        """Return the entry's definition as JSON with the keys of YAML, without name, source and
        declared_at, which a store keeps beside it."""

    def decode(self, name: str, definition: bytes, source: str, declared_at: str) -> Entry:
        """Return the entry with this name and definition.

        Raise ConfigError for a definition that a newer version wrote or that was damaged by hand,
        and StoreError when this process cannot open a file that decoding needs.
        """


Wake = Callable[[], None]
