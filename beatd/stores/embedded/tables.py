"""The tables of a store that is held in memory, changed by one value at a time.

Everything such a store knows is a set of these values; putting one is the only way anything
changes. So a list of them is a journal, and all that are alive are a snapshot.
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
    """What can be put."""


class Identity(Value, frozen=True):
    namespace: str


class Version(Value, frozen=True):
    number: int


class Defined(Value, frozen=True):
    """What the operator wrote."""

    name: str
    revision: int
    source: str
    declared_at: str
    enabled: bool
    paused: bool
    definition: Raw


class Planned(Value, frozen=True):
    """What the daemon keeps beside it: narrow, for each claim writes one."""

    name: str
    plan: Plan
    runs: int
    last: datetime | None

    @property
    def progress(self) -> Progress:
        return Progress(self.plan.planned, self.runs, self.last)


class Removed(Value, frozen=True):
    name: str


class Claimed(Value, frozen=True):
    occurrence: Occurrence
    task_id: str
    due: datetime
    claimed_at: datetime
    term: int
    unsent: bool


class Closed(Value, frozen=True):
    occurrence: Occurrence


class Asked(Value, frozen=True):
    request: Request


class Done(Value, frozen=True):
    id: str


class Line(Value, frozen=True):
    """A record of history; `claim` is the occurrence it closed, for what is told of it later."""

    number: int
    at: datetime
    record: Record
    claim: Occurrence | None


class Forgotten(Value, frozen=True):
    """The lines from one number to another, both included."""

    first: int
    last: int


class Termed(Value, frozen=True):
    term: Term
    holder: Holder


class Marked(Value, frozen=True):
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
    """Not thread-safe. `journal` collects what is put, for a store that also keeps it in a file."""

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
        self.replay(value)
        if self.journal is not None:
            self.journal.append(value)

    def replay(self, value: AnyValue) -> None:
        """Put what a journal already holds."""
        self._PUT[type(value)](self, value)

    def __len__(self) -> int:
        """About how many values are alive."""
        return 2 * len(self.defined) + len(self.requests) + len(self.claims) + len(self.lines)

    def alive(self) -> Iterator[AnyValue]:
        """Values that make an empty set of tables equal to this one."""
        yield Identity(self.namespace)
        yield Version(self.version)
        if self.leads is not None:
            yield self.leads
        yield from map(Marked, self.marks.values())
        yield from chain(self.defined.values(), self.planned.values())
        yield from map(Asked, self.requests.values())
        yield from chain(self.claims.values(), self.lines.values())

    def soonest(self) -> Generator[str, None, None]:
        """Names by due moment; close it when done, so that what was read is put back."""
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

    # what each value does

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
        # Claimed anew, it goes to the end; marked as unsent, it keeps its place.
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
