"""The linearisable store: it tells the truth of every effect, at the moment it has."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from beatd.catalog import Change, Query, Stored
from beatd.definition import codec
from beatd.incident import Incident
from beatd.leader import Holder, Term
from beatd.ledger import Move, Request, Result
from beatd.marks import RULES_KEY, Mark
from beatd.outcome import Delivery, Written
from beatd.stores.embedded.memory import MemoryStore
from tests.simulation.one_step import OneStepStore

if TYPE_CHECKING:
    from tests.simulation.truth import Truth


class TrueStore(OneStepStore):
    """An AtomicLedger too: what is pushed within `step` goes to a broker in the same place."""

    def __init__(self, truth: "Truth") -> None:
        world: Any = truth.world
        super().__init__(codec=codec, clock=world)
        self._truth = truth
        self._reader = self.new_reader()
        self.born: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.lives: Counter[str] = Counter()
        self.stale: MemoryStore | None = None  # answers what is read, while reads are stale
        self.stale_until = float("-inf")  # when reads were stale last

    def new_reader(self) -> Any:
        return self._truth.versions.reader(self._codec)

    def is_fresh_since(self, moment: float) -> bool:
        """True if no read has been stale since the moment."""
        return self.stale is None and self.stale_until < moment

    def begin(self, holder: Holder) -> Term:
        self._truth.versions.refuse_old()
        term = super().begin(holder)
        self._truth.began[term.number] = self._truth.world.elapsed()
        return term

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        self._truth.versions.refuse_old()
        before = [self._stored(move.name) for move in moves]
        made = super().claim(moves, term, at)
        for move, row, ok in zip(moves, before, made, strict=True):
            if ok:
                self._truth.overlaps.claimed(move, None if row is None else row.running, at)
                if move.run is not None and move.of != "claim":
                    self.lives[move.run.task_id] += 1
                self._truth.make(move, term, at, row)
                self._truth.pauses.claimed(move)
        return made

    def record(self, results: Sequence[Result]) -> None:
        super().record(results)
        self._truth.recorded(results)

    def write_outcomes(self, deliveries: Sequence[Delivery], at: datetime) -> Sequence[Written]:
        written = super().write_outcomes(deliveries, at)
        pairs = zip(deliveries, written, strict=True)
        made = [one for one, how in pairs if how == "written"]
        self._truth.overlaps.reported(made)
        self._truth.notices.reported(made)
        return written

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        done: list[bool] = []
        for change in changes:
            before, defined = self._stored(change.name), self._tables.defined.get(change.name)
            self._truth.versions.touches(change.name)
            until = None if defined is None else defined.pause_end
            (ok,) = super().write([change])
            if ok:
                after = self._stored(change.name)
                if (
                    before is not None
                    and before.running is not None
                    and not _runs_on(before, after)
                ):
                    self._truth.overlaps.removed(before.running)
                self._truth.changed(change, before, after)
                self._truth.pauses.changed(change, after, until, calm=self._truth.calm)
            done.append(ok)
        return done

    def write_mark(self, mark: Mark) -> None:
        super().write_mark(mark)
        if mark.key == RULES_KEY and (leads := self.term()) is not None:
            began = self._truth.began[leads[0].number]
            rows = list(self.find(Query()))
            is_fresh = self.is_fresh_since(began)
            self._truth.versions.noted(rows, mark.at, reads_are_fresh=is_fresh)

    def put_incidents(self, incidents: Sequence[Incident]) -> list[bool]:
        done = list[bool]()
        for one in incidents:
            before = self._tables.incidents.get((one.kind, one.name, one.opened))
            (ok,) = super().put_incidents([one])
            if ok:
                found = self._tables.incidents.values()
                same = [i for i in found if (i.kind, i.name) == (one.kind, one.name)]
                self._truth.notices.written(before, one, sum(i.closed is None for i in same))
            done.append(ok)
        return done

    def add_requests(self, requests: Sequence[Request]) -> None:
        super().add_requests(requests)
        self._truth.asked(requests)


def _runs_on(before: Stored, after: Stored | None) -> bool:
    """True if the store still knows that the run is running which was running before a change."""
    return after is not None and after.running == before.running
