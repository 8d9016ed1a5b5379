"""A store in the memory of one process, for `store.url: memory:`. Tests compare other stores with
it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from uuid import UUID, uuid4

from msgspec import Raw

from beatd.catalog import Change, Codec, MissingPart, PlannedEntry, Query, Stored, Wake
from beatd.changes import Pause
from beatd.clock import Clock
from beatd.entry import Entry
from beatd.errors import StoreUnusable
from beatd.leader import Holder, Term
from beatd.ledger import Move, OpenClaim, Request, Result
from beatd.marks import Mark, Marks
from beatd.stores.embedded.catalog_writes import make_change
from beatd.stores.embedded.claims import make, refuse_old_term, settle
from beatd.stores.embedded.entry_reader import Reader
from beatd.stores.embedded.memory_changes import MemoryChanges
from beatd.stores.embedded.memory_copies import MemoryCopies
from beatd.stores.embedded.memory_history import MemoryHistory
from beatd.stores.embedded.memory_incidents import MemoryIncidents
from beatd.stores.embedded.memory_outcomes import MemoryOutcomes
from beatd.stores.embedded.presences import MemoryPresences
from beatd.stores.embedded.query import CHECKED, PARTS_MISSING, asks_for, in_order
from beatd.stores.embedded.table_values import (
    Asked,
    Claimed,
    Defined,
    Identity,
    Marked,
    Planned,
    Termed,
)
from beatd.stores.embedded.tables import Tables


class MemoryStore(
    MemoryPresences, MemoryHistory, MemoryOutcomes, MemoryIncidents, MemoryChanges, MemoryCopies
):
    """A store in memory, safe for several threads. Its content is lost when the process ends."""

    def __init__(self, *, codec: Codec, clock: Clock) -> None:
        super().__init__(clock=clock)
        self._codec, self._reader = codec, Reader(codec)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._tables.put(Identity(uuid4().hex))

    # entries

    @property
    def namespace(self) -> UUID:
        with self._reading():
            found = self._tables.namespace
        try:
            return UUID(found)
        except ValueError:  # only a shelf can have it
            raise StoreUnusable(
                f"the identity of the store is damaged: {found!r:.60} is no UUID; restore a copy "
                "of the file"
            ) from None

    def new_identity(self) -> UUID:
        fresh = uuid4()
        with self._writing():
            self._tables.put(Identity(fresh.hex))
        return fresh

    def version(self) -> str:
        with self._reading():
            return str(self._tables.version)

    def count(self) -> int:
        with self._reading():
            return len(self._tables.defined)

    def existing(self, names: Sequence[str]) -> set[str]:
        with self._reading():
            return {name for name in names if name in self._tables.defined}

    def find(self, query: Query) -> Iterator[Stored]:
        return islice(self._read(self._rows(query)), query.limit)

    def plans_before(self, before: datetime, limit: int) -> Iterator[PlannedEntry]:
        rows = self._rows(Query(enabled=True, due_before=before, order="next"))
        found = (self._reader.planned_entry(*row) for row in rows)
        return islice((one for one in found if one is not None), limit)

    def _rows(self, query: Query) -> Iterable[tuple[Defined, Planned]]:
        holds = asks_for(query)
        with self._reading():
            tables = self._tables
            names = query.names if query.names is not None else tables.defined
            rows = [
                (defined, tables.planned[name])
                for name in dict.fromkeys(names)
                if (defined := tables.defined.get(name))
                if name in tables.planned and holds(defined, tables.planned[name])
            ]
        return in_order(rows, query.order)

    def _read(self, rows: Iterable[tuple[Defined, Planned]]) -> Iterator[Stored]:
        # Not cached. Entries that cannot be decoded are left out.
        for defined, planned in rows:
            entry = self._reader.entry(defined, keep=False)
            if entry is not None:
                yield stored(entry, defined, planned, self._tables, pause=defined.pause)

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        definitions = [
            None if change.entry is None else Raw(self._codec.encode(change.entry))
            for change in changes
        ]
        now = self._clock.now()
        with self._writing():
            version = self._tables.version + 1
            done = [
                make_change(self._tables, change, definition, version, now)
                for change, definition in zip(changes, definitions, strict=True)
            ]
        if any(done):
            self._wake()
        return done

    def drop_cached(self, names: Sequence[str]) -> None:
        self._reader.drop_cached(names)

    def missing_parts(self, limit: int, *, whole: bool) -> Sequence[MissingPart]:
        with self._reading():
            tables = self._tables
            found = [
                MissingPart(name, None) for name in tables.planned if name not in tables.defined
            ]
            for name, defined in tables.defined.items():
                if name in tables.planned:
                    continue
                entry = self._reader.entry(defined, keep=False)
                if entry is not None:
                    found.append(MissingPart(name, entry, defined.paused))
            return found[:limit]

    def losses(self) -> Sequence[str]:
        return ()

    @property
    def marks(self) -> Marks:
        return Marks(self)

    def read_mark(self, key: str) -> Mark | None:
        with self._reading():
            return self._tables.marks.get(key)

    def write_mark(self, mark: Mark) -> None:
        with self._writing():
            self._tables.put(Marked(mark))

    # plan, claims and requests

    def upcoming(self, limit: int) -> Sequence[Stored]:
        with self._reading(), closing(self._tables.soonest()) as names:
            readable = (row for name in names if (row := self._stored(name)))
            return list(islice(readable, limit))

    def atomic(self) -> None:
        return None

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        with self._writing():
            refuse_old_term(self._tables, term)
            return [make(self._tables, move, term, at) for move in moves]

    def record(self, results: Sequence[Result]) -> None:
        with self._writing():
            for result in results:
                settle(self._tables, result)

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        with self._reading():
            tables = self._tables
            waiting = [c for c in tables.claims.values() if c.unsent or c.claimed_at < before]
            waiting.sort(key=lambda claim: claim.claimed_at)
            return list(islice(filter(None, map(self._open_claim, waiting)), limit))

    def _open_claim(self, claim: Claimed) -> OpenClaim | None:
        name = claim.occurrence.name
        row = self._stored(name)
        if row is None and name in self._tables.defined:
            return None  # only a newer program can read it and settle its claim
        return OpenClaim(
            claim.occurrence,
            claim.task_id,
            claim.due,
            claim.claimed_at,
            claim.term,
            claim.unsent,
            row,
        )

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        with self._reading():
            pending: list[tuple[Request, Stored | None]] = []
            for request in self._tables.requests.values():
                if len(pending) >= limit:
                    break
                row = self._stored(request.name)
                if row is not None or request.name not in self._tables.defined:
                    pending.append((request, row))
            return pending

    def _stored(self, name: str) -> Stored | None:
        defined = self._tables.defined.get(name)
        if defined is None or name not in self._tables.planned:
            return None
        entry = self._reader.entry(defined)
        if entry is None:
            return None
        return stored(entry, defined, self._tables.planned[name], self._tables)

    # terms

    def begin(self, holder: Holder) -> Term:
        with self._writing():
            leads = self._tables.leads
            term = Term(leads.term.number + 1 if leads else 1, uuid4().hex)
            self._tables.put(Termed(term, holder))
            return term

    def term(self) -> tuple[Term, Holder] | None:
        with self._reading():
            leads = self._tables.leads
            return (leads.term, leads.holder) if leads else None

    def now(self) -> None:
        """Return None, because a store in memory has no clock of its own."""

    def add_requests(self, requests: Sequence[Request]) -> None:
        with self._writing():
            for request in requests:
                if request.id not in self._tables.requests:
                    self._tables.put(Asked(request))
        self._wake()

    # the store as a whole

    def watch(self, wake: Wake) -> bool:
        self._wakes.append(wake)
        return True

    def problems(self) -> Sequence[str]:
        with self._reading():
            defined, planned = self._tables.defined, self._tables.planned
            rows = [(one, planned[name]) for name, one in defined.items() if name in planned]
            soonest = [one for one, _ in in_order(rows, "next")[:CHECKED]]
            problems = [self._reader.problem(one) for one in soonest]
            said = [PARTS_MISSING] if self.missing_parts(1, whole=False) else []
            return [*said, *(problem for problem in problems if problem)]

    def close(self) -> None:
        self._wakes.clear()


def stored(
    entry: Entry, defined: Defined, planned: Planned, tables: Tables, pause: Pause | None = None
) -> Stored:
    return Stored(
        entry,
        defined.revision,
        defined.paused,
        planned.plan,
        planned.runs,
        planned.last,
        None if entry.overlap == "allow" else tables.running.get(entry.name),
        pause,
    )
