"""Keep the tables of a store in memory. They change only by values, each of which writes or deletes
rows.

So a list of the values that were put is a journal, and a list of all existing rows is a snapshot.
"""

from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import chain
from typing import Any, ClassVar

from msgspec import Raw, Struct

from beatd.catalog import Plan, Progress
from beatd.leader import Holder, Term
from beatd.ledger import Record, Request
from beatd.marks import Mark
from beatd.run import Occurrence


class Value(Struct, frozen=True, gc=False):
    """The base class of the values (rows to write or to delete) that `Tables.put` accepts."""


class Identity(Value, frozen=True):
    """Sets the namespace of the store, from which the task ids of runs are made."""

    namespace: str


class Version(Value, frozen=True):
    """Sets the store's revision number, which grows with each edit of an entry."""

    number: int


class Defined(Value, frozen=True):
    """Writes the definition, state and owner (`source`) of an entry; claims never change them."""

    name: str
    revision: int
    source: str
    declared_at: str
    enabled: bool
    paused: bool
    definition: Raw


class Planned(Value, frozen=True):
    """Writes the plan of an entry, the number of its runs and its last run. It is apart from the
    definition because each claim of a planned run writes it."""

    name: str
    plan: Plan
    runs: int
    last: datetime | None

    @property
    def progress(self) -> Progress:
        return Progress(self.plan.planned, self.runs, self.last)


class Removed(Value, frozen=True):
    """Deletes the definition and the plan of an entry."""

    name: str


class Claimed(Value, frozen=True):
    """Writes an open claim (a run that was claimed and not recorded). `unsent` is True if its
    message certainly did not go out; `term` is the fencing number of the leader that claimed it."""

    occurrence: Occurrence
    task_id: str
    due: datetime
    claimed_at: datetime
    term: int
    unsent: bool


class Closed(Value, frozen=True):
    """Deletes the open claim of an occurrence."""

    occurrence: Occurrence


class Asked(Value, frozen=True):
    """Writes a pending request (moments of an entry to run besides its plan)."""

    request: Request


class Done(Value, frozen=True):
    """Deletes a request."""

    id: str


class Line(Value, frozen=True):
    """Writes a record of history; `at` is the time when it was written. If the record closed a
    claim, `claim` is the claimed occurrence, and a later result for that occurrence may replace the
    record."""

    number: int
    at: datetime
    record: Record
    claim: Occurrence | None


class Forgotten(Value, frozen=True):
    """Deletes the records of history with the numbers `first` to `last`, both included."""

    first: int
    last: int


class Termed(Value, frozen=True):
    """Writes the newest term (the fencing number of a leader) and its holder."""

    term: Term
    holder: Holder


class Marked(Value, frozen=True):
    """Writes a mark (a small note of the store, mostly about the set of entries that a source
    declared), and replaces the mark with the same key."""

    mark: Mark


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
)


class Tables:
    """The tables of a store in memory, with an index by due moment. Not thread-safe.

    If `journal` is a list, `put` appends every value to it, so that a store can write the values to
    a file.
    """

    def __init__(self, *, journal: list[AnyValue] | None = None) -> None:
        self.journal = journal
        self.namespace = ""
        self.version = 0
        self.defined: dict[str, Defined] = {}
        self.planned: dict[str, Planned] = {}
        self.claims: dict[Occurrence, Claimed] = {}  # oldest claim first
        self.requests: dict[str, Request] = {}
        self.requests_of: dict[str, dict[str, None]] = {}
        self.lines: dict[int, Line] = {}
        self.line_of: dict[Occurrence, int] = {}
        self.first_line = self.next_line = 1
        self.leads: Termed | None = None
        self.marks: dict[str, Mark] = {}
        self._heap: list[tuple[datetime, str, int]] = []
        self._stamps: dict[str, int] = {}
        self._stamp = 0

    def put(self, value: AnyValue) -> None:
        """Apply a value to the tables, and append it to the journal if there is one."""
        self.replay(value)
        if self.journal is not None:
            self.journal.append(value)

    def replay(self, value: AnyValue) -> None:
        """Apply a value to the tables without appending it to the journal."""
        self._PUT[type(value)](self, value)

    def __len__(self) -> int:
        """Return about how many values `alive` yields."""
        return 2 * len(self.defined) + len(self.requests) + len(self.claims) + len(self.lines)

    def alive(self) -> Iterator[AnyValue]:
        """Yield values which, put into empty tables, give them the same contents as these
        tables."""
        yield Identity(self.namespace)
        yield Version(self.version)
        if self.leads is not None:
            yield self.leads
        yield from map(Marked, self.marks.values())
        yield from chain(self.defined.values(), self.planned.values())
        yield from map(Asked, self.requests.values())
        yield from chain(self.claims.values(), self.lines.values())

    def soonest(self) -> Generator[str, None, None]:
        """Yield the names of the entries that have a due moment, earliest first. The caller must
        exhaust or close the generator, which then restores the index."""
        taken = []
        try:
            while self._heap:
                item = heappop(self._heap)
                # An item of an older plan stays in the heap until it comes up here.
                if self._stamps.get(item[1]) == item[2]:
                    taken.append(item)
                    yield item[1]
        finally:
            for item in taken:
                heappush(self._heap, item)

    # how each value changes the tables

    def _identity(self, value: Identity) -> None:
        self.namespace = value.namespace

    def _version(self, value: Version) -> None:
        self.version = value.number

    def _define(self, value: Defined) -> None:
        self.defined[value.name] = value

    def _plan(self, value: Planned) -> None:
        self.planned[value.name] = value
        self._stamps.pop(value.name, None)
        if value.plan.due is not None:
            self._stamp += 1
            self._stamps[value.name] = self._stamp
            heappush(self._heap, (value.plan.due, value.name, self._stamp))
            if len(self._heap) > 2 * len(self._stamps) + 1000:
                self._heap = [i for i in self._heap if self._stamps.get(i[1]) == i[2]]
                heapify(self._heap)

    def _remove(self, value: Removed) -> None:
        self.defined.pop(value.name, None)
        self.planned.pop(value.name, None)
        self._stamps.pop(value.name, None)

    def _claim(self, value: Claimed) -> None:
        # A claim made again goes to the end; one that is marked as unsent keeps its place.
        old = self.claims.get(value.occurrence)
        if old is not None and old.claimed_at != value.claimed_at:
            del self.claims[value.occurrence]
        self.claims[value.occurrence] = value

    def _close(self, value: Closed) -> None:
        self.claims.pop(value.occurrence, None)

    def _ask(self, value: Asked) -> None:
        self.requests[value.request.id] = value.request
        self.requests_of.setdefault(value.request.name, {})[value.request.id] = None

    def _done(self, value: Done) -> None:
        request = self.requests.pop(value.id, None)
        if request is not None:
            of_entry = self.requests_of[request.name]
            del of_entry[value.id]
            if not of_entry:
                del self.requests_of[request.name]

    def _line(self, value: Line) -> None:
        if not self.lines:
            self.first_line = value.number
        self.lines[value.number] = value
        self.next_line = value.number + 1
        if value.claim is not None:
            self.line_of[value.claim] = value.number

    def _forget(self, value: Forgotten) -> None:
        for number in range(value.first, value.last + 1):
            line = self.lines.pop(number, None)
            if line is not None and line.claim is not None and self.line_of[line.claim] == number:
                del self.line_of[line.claim]
        if value.first <= self.first_line:
            self.first_line = max(self.first_line, value.last + 1)

    def _term(self, value: Termed) -> None:
        self.leads = value

    def _mark(self, value: Marked) -> None:
        self.marks[value.mark.key] = value.mark

    _PUT: ClassVar[dict[type[Value], Callable[[Any, Any], None]]] = {
        Identity: _identity,
        Version: _version,
        Defined: _define,
        Planned: _plan,
        Removed: _remove,
        Claimed: _claim,
        Closed: _close,
        Asked: _ask,
        Done: _done,
        Line: _line,
        Forgotten: _forget,
        Termed: _term,
        Marked: _mark,
    }
