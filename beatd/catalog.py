"""The stored form of entries and their next runs, and the interfaces to find and change them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from beatd.changes import Author, Pause
from beatd.clock import SharedClock
from beatd.entry import Entry, Moment, Timing
from beatd.marks import Marks
from beatd.run import Running, Skip


class Plan(Struct, frozen=True):
    """When an entry runs next, and from which version of its schedule this was computed.

    - `planned`: the moment of the next run, from which its task id is computed. None if the entry
      is finished, because no moment is ahead.
    - `due`: the moment at which to send the run: `planned` plus jitter. Order, lateness and grace
      are counted from it. None if the entry is finished, paused or disabled; a paused or disabled
      entry keeps the `planned` that it had reached.
    - `fingerprint`: a hash of the fields that decide when the entry runs.
    - `rules`: the version of the planning rules and the zone data (`planning.RULES`).
    """

    planned: Moment | None
    due: Moment | None
    fingerprint: str
    rules: str


class Progress(Struct, frozen=True):
    """When an entry runs next, how many times it ran, and when it ran last.

    Each planned run changes this, but not the entry's revision. `runs` are those that count towards
    `max_runs`; `last` is the planned moment of the newest of them.
    """

    planned: Moment | None = None
    runs: int = 0
    last: Moment | None = None


class Stored(Struct, frozen=True):
    """An entry as it was read from a store, with its next run and its number of runs.

    `revision` grows with every edit, pause and resume. A revision never repeats, not even for a
    name that was removed and added again. `runs` is the number of runs that count towards
    `max_runs`; `last` is the planned moment of the newest of them. `running` is the run that the
    next one must not overlap, or None. `pause` is set only by `find`, for a paused entry; None if
    the store does not know who paused it.
    """

    entry: Entry
    revision: int
    paused: bool
    plan: Plan
    runs: int
    last: Moment | None
    running: Running | None = None
    pause: Pause | None = None

    @property
    def progress(self) -> Progress:
        return Progress(self.plan.planned, self.runs, self.last)


class Change(Struct, frozen=True):
    """One change of one entry: the store writes, plans anew, pauses or removes the entry.

    The store makes the change only if the entry is at revision `seen` (0: there is no such entry).
    Otherwise the store refuses the change; the caller may read the entry and try again.

    - `entry` None removes the entry. Its requests for runs are dropped with the reason "removed".
      Runs that are claimed but not recorded stay.
    - `plan` None does not change the entry's plan. The plan of an existing entry is written only if
      the entry's progress still equals `progress`. Otherwise a run was claimed meanwhile, and this
      plan could run its moment again.
    - A plan with another fingerprint (edited), or one that makes the entry due again (resumed),
      drops the entry's backlog (missed runs still to be sent).
    - A disabled or paused entry is never due, whatever its plan. Its `planned` does not change, so
      that a later plan can record which moments the pause skipped.
    - `runs` and `last` of a new entry come from its earlier scheduler; they are ignored for an
      entry that exists.
    - `skip` is the range of moments that this change skips. It is recorded only if the plan is
      still at the first of them, and nothing was claimed since.
    - `calls_off` True drops the entry's backfills (runs requested for past moments) with the reason
      "called off".
    - `missed` is the only moment of the new definition when that moment is already past. It is
      recorded as skipped.

    - `author` is who makes the change. If it is given, the store writes a `ChangeRecord`, unless
      the definition, the owner and the pause are as before.
    - `pause` is written with `paused` True. If it is None, the pause that the store has stays.

    Every moment that a change drops is recorded as skipped.
    """

    name: str
    seen: int
    entry: Entry | None
    plan: Plan | None = None
    paused: bool = False
    runs: int = 0
    last: Moment | None = None
    skip: Skip | None = None
    calls_off: bool = False
    progress: Progress = Progress()
    missed: Skip | None = None
    author: Author | None = None
    pause: Pause | None = None


class MissingPart(Struct, frozen=True):
    """A stored entry that lost its definition or its next run, for example by a deletion outside
    beatd.

    If `entry` is None, the definition is missing. Otherwise the next run is missing; `entry` and
    `paused` come from the part that still exists.
    """

    name: str
    entry: Entry | None
    paused: bool = False


class Position(Struct, frozen=True):
    """The last entry on a page of a search; the next page of the search begins behind it.

    `due` counts in the order "next" only; None if the entry has no next run.
    """

    name: str
    due: Moment | None = None


class Query(Struct, frozen=True, kw_only=True):
    """The conditions and the order of a search for entries.

    An entry must meet all conditions; a condition that is None is not applied. `contains` is a text
    in the name or in the task; letters from a to z match in both cases.
    """

    names: tuple[str, ...] | None = None  # exact names
    name_like: str | None = None  # shell pattern: * and ?
    task_like: str | None = None  # shell pattern, too
    contains: str | None = None
    source: str | None = None
    due_before: Moment | None = None
    rules_before: str | None = None  # the plan was computed by an older `planning.RULES`
    enabled: bool | None = None  # False: disabled or paused
    paused: bool | None = None
    after: Position | None = None
    order: Literal["name", "next"] = "name"
    limit: int | None = None


class EntryFinder(Protocol):
    """The part of a store's interface that finds entries by name, task, source and state."""

    def find(self, query: Query) -> Iterator[Stored]:
        """Yield the entries that match a query in its order, without loading all of them into
        memory.

        In the order "next", entries are sorted by due moment, then name; entries without a due
        moment come last.
        """

    def existing(self, names: Sequence[str]) -> set[str]:
        """Return those of these names that have an entry, even if this program cannot read it."""


class PlannedEntry(Struct, frozen=True):
    """When an entry runs, its next planned moment, and how many runs `max_runs` still allows.

    `left` is None if there is no such limit.
    """

    name: str
    timing: Timing
    planned: Moment
    left: int | None

    @classmethod
    def of(cls, name: str, timing: Timing, planned: datetime, runs: int) -> "PlannedEntry":
        """Return the entry with `left` computed from the number of its `runs` until now."""
        most = timing.max_runs
        return cls(name, timing, planned, None if most is None else max(0, most - runs))


class PlanFinder(Protocol):
    """The part of a store's interface that reads when many entries run, and nothing else of
    them."""

    def plans_before(self, before: datetime, limit: int) -> Iterator[PlannedEntry]:
        """Yield up to `limit` entries that are due before a moment, sorted by that, then by name.

        Paused, disabled and unreadable entries are left out. This takes a third of the time of
        `EntryFinder.find`.
        """


class Catalog(EntryFinder, Protocol):
    """The part of a store's interface that reads entries and when they run next."""

    def version(self) -> str:
        """Return a text that changes if and only if any entry is added, edited, paused or
        removed."""

    def count(self) -> int:
        """Return the number of entries, including those that this program cannot read."""


class EntryWriter(Protocol):
    """The part of a store's interface that changes entries."""

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        """Make changes of entries in order; return for each True if it was made, False if refused.

        A change is made completely or not at all. It is refused if the entry is not at revision
        `seen`, or if its `plan` is out of date. An entry that lost its definition or its plan
        counts as missing (revision 0); the change then replaces the remaining part.
        """


class EditableCatalog(Catalog, EntryWriter, SharedClock, Protocol):
    """The part of a store's interface that reads and changes entries, with notes about their
    owners."""

    @property
    def marks(self) -> Marks:
        """The short notes that the store keeps under keys, most of them about the owners of
        entries."""


class RepairableCatalog(EntryWriter, Protocol):
    """The part of a store's interface that finds entries of which a part was lost."""

    def missing_parts(self, limit: int, *, whole: bool) -> Sequence[MissingPart]:
        """Return up to `limit` entries that lost their definition or their next run.

        Damaged indexes are rebuilt, too. If `whole` is True, every entry is checked. If it is
        False, a store may check only a few entries to save time.
        """

    def losses(self) -> Sequence[str]:
        """Return one line of text for each loss of the store's data that this process has noticed.

        No server is queried. `missing_parts` finds losses of single entries.
        """


class Codec(Protocol):
    """Converts an entry to the JSON bytes that a store keeps, and back."""

    def encode(self, entry: Entry) -> bytes:
        """Return the entry's definition as JSON, with the same keys as in YAML.

        `name`, `source` and `declared_at` are left out, because a store keeps them separately.
        """

    def decode_timing(self, name: str, definition: bytes) -> Timing:
        """Decode only when an entry runs, which is much faster than `decode`, with the same
        errors."""

    def decode(self, name: str, definition: bytes, source: str, declared_at: str) -> Entry:
        """Decode an entry from its definition as JSON bytes, its name, owner and place of
        declaration.

        Raise ConfigError if the definition is damaged or was written by a newer version. Raise
        StoreError if this process cannot open a file that decoding needs.
        """


Wake = Callable[[], None]
