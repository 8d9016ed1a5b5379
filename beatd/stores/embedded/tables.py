"""The tables of a store in memory, which only the method `put` changes."""

from bisect import bisect_left, insort
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import chain
from typing import Any, ClassVar

from beatd.incident import Incident
from beatd.ledger import Request
from beatd.marks import Mark
from beatd.outcome import DELIVERY_ENDS, Delivery, EntryOutcome
from beatd.run import Occurrence, Running
from beatd.stores.embedded.numbered_rows import NumberedRows
from beatd.stores.embedded.table_values import (
    AnyValue,
    Asked,
    ChangeRow,
    ChangesForgotten,
    Claimed,
    Closed,
    Defined,
    DeliveryGone,
    DeliveryRow,
    Done,
    Forgotten,
    Identity,
    IncidentGone,
    IncidentRow,
    Line,
    Marked,
    MarkGone,
    NextChange,
    OutcomeRow,
    Planned,
    Removed,
    RunningGone,
    RunningRow,
    Termed,
    Value,
    Version,
)

IncidentKey = tuple[str, str, datetime]


class Tables:
    """The content of a store in memory: a table for each kind of row. Not safe for several threads.

    If `journal` is a list, `put` appends every change to it, so that a store can save the changes.
    """

    def __init__(self, *, journal: list[AnyValue] | None = None) -> None:
        self.journal = journal
        self.namespace = ""
        self.version = 0
        self.defined: dict[str, Defined] = {}
        self.planned: dict[str, Planned] = {}
        self.pause_ends: list[tuple[datetime, str]] = []  # sorted: until, name
        self.claims: dict[Occurrence, Claimed] = {}  # oldest claim first
        self.requests: dict[str, Request] = {}
        self.requests_of: dict[str, dict[str, None]] = {}
        self.lines = NumberedRows[Line]()
        self.line_of: dict[Occurrence, int] = {}
        self.changes = NumberedRows[ChangeRow]()
        self.leads: Termed | None = None
        self.marks: dict[str, Mark] = {}
        self.running: dict[str, Running] = {}
        self.running_entry: dict[str, str] = {}  # by the task id of its running run
        self.deliveries: dict[str, dict[str, Delivery]] = {}  # by task id and delivery
        self.delivery_count = 0
        self.live: dict[tuple[str, str], None] = {}  # the deliveries that have not ended
        self.outcomes: dict[str, EntryOutcome] = {}
        self.incidents: dict[IncidentKey, Incident] = {}
        self.open_incidents: dict[tuple[str, str], datetime] = {}  # kind and name: opened
        self._heap: list[tuple[datetime, str, int]] = []
        self._stamps: dict[str, int] = {}
        self._stamp = 0

    def put(self, value: AnyValue) -> None:
        """Make a change of a row, and append the change to the journal if there is one."""
        self.replay(value)
        if self.journal is not None:
            self.journal.append(value)

    def replay(self, value: AnyValue) -> None:
        """Make a change of a row that was made before, without writing it to the journal."""
        self._PUT[type(value)](self, value)

    def __len__(self) -> int:
        """Return the approximate number of rows in all tables."""
        entries = 2 * len(self.defined) + len(self.running) + len(self.outcomes)
        runs = len(self.claims) + len(self.lines) + self.delivery_count
        return entries + runs + len(self.requests) + len(self.incidents) + len(self.changes)

    def alive(self) -> Iterator[AnyValue]:
        """Yield a change for each existing row; made in empty tables, they give a copy of these
        tables."""
        yield Identity(self.namespace)
        yield Version(self.version)
        if self.leads is not None:
            yield self.leads
        yield from map(Marked, self.marks.values())
        yield from chain(self.defined.values(), self.planned.values())
        yield from map(Asked, self.requests.values())
        yield from chain(self.claims.values(), self.lines, self.changes)
        yield NextChange(self.changes.next)
        yield from (RunningRow(name, running) for name, running in self.running.items())
        for of_run in self.deliveries.values():
            yield from map(DeliveryRow, of_run.values())
        yield from map(OutcomeRow, self.outcomes.values())
        yield from map(IncidentRow, self.incidents.values())

    def soonest(self) -> Generator[str, None, None]:
        """Yield the names of the entries that have a next run, the earliest run first.

        The caller must exhaust or close the generator, because the index is restored only then.
        """
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
        self._pause_gone(value.name)
        self.defined[value.name] = value
        if value.pause_end is not None:
            insort(self.pause_ends, (value.pause_end, value.name))

    def _pause_gone(self, name: str) -> None:
        before = self.defined.get(name)
        if before is not None and before.pause_end is not None:
            del self.pause_ends[bisect_left(self.pause_ends, (before.pause_end, name))]

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
        self._pause_gone(value.name)
        self.defined.pop(value.name, None)
        self.planned.pop(value.name, None)
        self._stamps.pop(value.name, None)
        self._run_gone(RunningGone(value.name))
        self.outcomes.pop(value.name, None)

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
        self.lines.put(value)
        if value.claim is not None:
            self.line_of[value.claim] = value.number

    def _forget(self, value: Forgotten) -> None:
        for line in self.lines.forget(value.first, value.last):
            if line.claim is not None and self.line_of[line.claim] == line.number:
                del self.line_of[line.claim]

    def _change(self, value: ChangeRow) -> None:
        self.changes.put(value)

    def _changes_gone(self, value: ChangesForgotten) -> None:
        self.changes.forget(value.first, value.last)

    def _next_change(self, value: NextChange) -> None:
        self.changes.next = max(self.changes.next, value.number)

    def _term(self, value: Termed) -> None:
        self.leads = value

    def _mark(self, value: Marked) -> None:
        self.marks[value.mark.key] = value.mark

    def _mark_gone(self, value: MarkGone) -> None:
        self.marks.pop(value.key, None)

    def _run(self, value: RunningRow) -> None:
        self._run_gone(RunningGone(value.name))
        self.running[value.name] = value.running
        self.running_entry[value.running.task_id] = value.name

    def _run_gone(self, value: RunningGone) -> None:
        running = self.running.pop(value.name, None)
        if running is not None:
            self.running_entry.pop(running.task_id, None)

    def _deliver(self, value: DeliveryRow) -> None:
        new = value.delivery
        of_run = self.deliveries.setdefault(new.task_id, {})
        self.delivery_count += new.delivery not in of_run
        of_run[new.delivery] = new
        if new.state in DELIVERY_ENDS:
            self.live.pop((new.task_id, new.delivery), None)
        else:
            self.live[new.task_id, new.delivery] = None

    def _delivery_gone(self, value: DeliveryGone) -> None:
        of_run = self.deliveries.get(value.task_id, {})
        if of_run.pop(value.delivery, None) is not None:
            self.delivery_count -= 1
            self.live.pop((value.task_id, value.delivery), None)
            if not of_run:
                del self.deliveries[value.task_id]

    def _outcome(self, value: OutcomeRow) -> None:
        self.outcomes[value.outcome.name] = value.outcome

    def _incident(self, value: IncidentRow) -> None:
        new = value.incident
        self._incident_gone(IncidentGone(new.kind, new.name, new.opened))
        self.incidents[new.kind, new.name, new.opened] = new
        if new.closed is None:
            self.open_incidents[new.kind, new.name] = new.opened

    def _incident_gone(self, value: IncidentGone) -> None:
        self.incidents.pop((value.kind, value.name, value.opened), None)
        if self.open_incidents.get((value.kind, value.name)) == value.opened:
            del self.open_incidents[value.kind, value.name]

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
        ChangeRow: _change,
        ChangesForgotten: _changes_gone,
        NextChange: _next_change,
        Termed: _term,
        Marked: _mark,
        MarkGone: _mark_gone,
        RunningRow: _run,
        RunningGone: _run_gone,
        DeliveryRow: _deliver,
        DeliveryGone: _delivery_gone,
        OutcomeRow: _outcome,
        IncidentRow: _incident,
        IncidentGone: _incident_gone,
    }
