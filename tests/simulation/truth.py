"""The linearisable store, and beside it what really happened: every promise is checked here.

What can be told at once is told at once; `verdict` tells the rest when the world has come to rest.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from beatd import planning
from beatd.catalog import Change, Query, Stored
from beatd.definition import codec
from beatd.entry import Entry
from beatd.leader import Term
from beatd.ledger import Move, Record, Result
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, task_id
from beatd.stores.memory import MemoryStore
from tests.simulation.world import Process, Violation, World

PUBLISH_TIMEOUT = 5.0
STEERED = timedelta(seconds=0.1)  # what a store's clock may be corrected by within one tick
Key = tuple[str, int, datetime, str]  # name, its generation, the planned moment, the request


@dataclass
class Stretch:
    """An entry between two plannings: it owes every moment from the first up to where it got."""

    entry: Entry
    first: datetime
    until: datetime | None = None
    last: datetime | None = None  # of a plan that `max_runs` ended: its newest run

    def end(self, row: Stored) -> None:
        self.until = row.plan.planned
        if self.until is None and row.entry.max_runs is not None:
            self.last = row.last or self.first


@dataclass
class Known:
    """What the operators were told last of an entry."""

    entry: Entry
    paused: bool
    generation: int
    stretch: Stretch | None = None
    counted: int = 0


@dataclass
class Sending:
    """A claim that is open: who made it, and when in true time."""

    process: Process
    at: float


@dataclass
class Arrival:
    run: Run
    process: Process
    key: Key
    at: float


@dataclass
class Truth:
    world: World
    checks_age: bool = True  # whether all clocks agree, so that the age of a claim can be judged
    known: dict[str, Known] = field(default_factory=dict)
    stretches: list[Stretch] = field(default_factory=list)
    generations: Counter[str] = field(default_factory=Counter)
    claimed: dict[Key, int] = field(default_factory=dict)
    open: dict[Occurrence, Sending] = field(default_factory=dict)
    holding: dict[Process, set[str]] = field(default_factory=lambda: defaultdict(set))
    doubts: Counter[str] = field(default_factory=Counter)
    arrived: list[Arrival] = field(default_factory=list)
    confirmed: dict[Process, set[str]] = field(default_factory=lambda: defaultdict(set))
    healed_at: float = float("inf")
    calm: bool = False
    edited_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.store = TrueStore(self)

    # what raises doubt

    def doubt(self, process: Process) -> None:
        """Something befell the process: what it holds may be sent by it, and by another."""
        for id in self.holding[process]:
            self.doubts[id] += 1
        if self.holding[process]:
            self.world.seen["a fault between claim and record"] += 1

    def key(self, run: Run, generation: int | None = None) -> Key:
        name, moment = run.occurrence.name, run.occurrence.planned
        if generation is None:
            generation = next(
                g for revision, g in reversed(self.store.born[name]) if revision <= run.revision
            )
        return name, generation, moment, run.occurrence.request

    def arrive(self, process: Process, run: Run) -> None:
        key = self.key(run)
        if run.task_id != task_id(self.store.namespace, run.occurrence):
            raise Violation(f"S2 another id: {run.task_id} of {key}")
        if not self.claimed.get(key):
            raise Violation(f"S1 published without a claim: {key}")
        before = sum(1 for one in self.arrived if one.key == key)
        if before:
            self.world.seen["a double under the same id"] += 1
            if run.entry.on_unknown == "skip":
                raise Violation(f"S2 doubled although on_unknown is skip: {key}")
            if self.doubts[run.task_id] < before:
                raise Violation(f"S2 doubled without an ambiguity: {key}")
        if self.open.get(run.occurrence, Sending(process, 0)).process is not process:
            self.world.seen["a message of a claim that another took over"] += 1
        self.arrived.append(Arrival(run, process, key, self.world.elapsed()))

    def told(self, process: Process, run: Run, outcome: Outcome) -> None:
        if outcome.sent == "confirmed":
            self.confirmed[process].add(run.task_id)
        if outcome.sent == "unknown":
            self.doubts[run.task_id] += 1

    # claims

    def make(self, move: Move, term: Term, at: datetime, before: Stored | None) -> None:
        """A move was made: whether it may have been."""
        leads, process = self.store.term(), self.world.process
        assert process is not None
        if leads is None or leads[0] != term:
            raise Violation(f"S3 {process.name} claimed {move.name} with the old term {term}")
        if move.run is None:
            if move.of == "claim" and move.open_claim is not None:
                self._look_at_age(move, process, at)
                self.open.pop(move.open_claim.occurrence, None)
                if any(skip.reason == "unknown" for skip in move.skips):
                    self.world.seen["skipped for being unknown"] += 1
            return
        run, name = move.run, move.name
        known = self.known.get(name)
        if known is None or before is None:
            raise Violation(f"S4 {name} was removed, and claimed after that")
        key = self.key(run, known.generation)
        if run.entry.args != known.entry.args or run.entry.schedule != known.entry.schedule:
            raise Violation(f"S4 {name} was edited, and claimed as it had been before")
        if not run.occurrence.request:
            if known.paused or not known.entry.enabled:
                raise Violation(f"S4 {name} is paused, and was claimed after that")
            if known.entry.end is not None and run.occurrence.planned > known.entry.end:
                raise Violation(f"S4 {name} has ended, and was claimed for later")
        stepped = not self.checks_age and self.world.seen["nature: step"] > 0
        if at < run.due - STEERED and move.of == "plan" and not stepped:
            raise Violation(f"S4 {key} was claimed at {at}, before it was due")
        if run.due < run.occurrence.planned:
            raise Violation(f"S4 {key} is due before its moment")
        if move.of == "claim":
            self._look_at_age(move, process, at)
        elif key in self.claimed:
            raise Violation(f"S1 claimed twice: {key}")
        elif not run.occurrence.request:
            known.counted += 1
            if known.entry.max_runs is not None and known.counted > known.entry.max_runs:
                raise Violation(f"S4 {name} ran more often than its max_runs")
        if move.of == "plan" and not process.daemon.engine.broker_ok:
            raise Violation(f"{name} was claimed while the broker was known to be away")
        if move.of == "request" and not run.occurrence.request:
            self.world.seen["a backlog was worked off"] += 1
        late = (at - run.due).total_seconds()
        if self.calm and move.of == "plan" and late > 1.5 and "slow" not in name:
            raise Violation(f"L2 {key} was claimed {late:.1f} s late, and all is well")
        self.claimed[key] = self.claimed.get(key, 0) + 1
        self.open[run.occurrence] = Sending(process, self.world.elapsed())
        self.holding[process].add(run.task_id)

    def _look_at_age(self, move: Move, process: Process, at: datetime) -> None:
        claim = move.open_claim
        assert claim is not None
        sending = self.open.get(claim.occurrence)
        if sending is None:
            return
        if sending.process is not process:
            self.world.seen["a claim settled by another than made it"] += 1
        age = (at - claim.claimed_at).total_seconds()
        certain = claim.unsent or sending.process is process
        if self.checks_age and not certain and age < PUBLISH_TIMEOUT:
            raise Violation(f"S2 {claim.occurrence} was taken over after {age:.1f} s only")

    def recorded(self, results: Sequence[Result]) -> None:
        process = self.world.process
        assert process is not None
        for result in results:
            self.holding[process].discard(result.run.task_id)
            if result.outcome.sent in ("confirmed", "rejected"):
                self.open.pop(result.run.occurrence, None)

    # what operators do

    def changed(self, change: Change, before: Stored | None, after: Stored | None) -> None:
        name = change.name
        known = self.known.get(name)
        self.edited_at = self.world.elapsed()
        ended = before is None or before.plan.planned is None
        replanned = after is None or ended or before.plan != after.plan
        if replanned and known is not None and known.stretch is not None and before is not None:
            known.stretch.end(before)
            known.stretch = None
        if after is None:
            if known is not None and before is not None:
                self._compare_runs(known, before)
            self.known.pop(name, None)
            return
        if known is None:
            self.generations[name] += 1
            known = self.known[name] = Known(after.entry, after.paused, self.generations[name])
            self.store.born[name].append((after.revision, known.generation))
        known.entry, known.paused = after.entry, after.paused
        if known.stretch is None and after.plan.planned is not None:
            known.stretch = Stretch(after.entry, after.plan.planned)
            self.stretches.append(known.stretch)

    def _compare_runs(self, known: Known, row: Stored) -> None:
        if row.runs != known.counted:
            name = row.entry.name
            raise Violation(f"{name} ran {known.counted} times, and its runs are {row.runs}")

    # in the end

    def verdict(self, now: datetime, never_ending: frozenset[str] = frozenset()) -> None:
        """All is well for long enough: nothing may be open, owed, late or untold."""
        for row in self.store.find(Query()):
            known = self.known[row.entry.name]
            self._compare_runs(known, row)
            if known.stretch is not None:
                known.stretch.end(row)
            due = row.plan.due
            if due is not None and (now - due).total_seconds() > 1.5:
                raise Violation(f"L2 {row.entry.name} was due at {due}, and it is {now}")
        lines = list(self.store.history(None, None))
        for occurrence, sending in self.open.items():
            claim = self.store._tables.claims[occurrence]
            soon = now - timedelta(seconds=2 * PUBLISH_TIMEOUT)
            if not self.checks_age and claim.claimed_at > soon:
                # By a host whose clock was ahead: where no store has a clock, it waits until then.
                self.world.seen["a claim from the future"] += 1
            elif occurrence.name not in never_ending and self.world.elapsed() - sending.at > 1.0:
                raise Violation(f"S7 still open: {occurrence}")
        for request, _ in self.store.requests(10):
            if (now - request.first).total_seconds() > 1.5:
                raise Violation(f"S7 still owed: {request}")
        told: dict[str, list[Record]] = defaultdict(list)
        for line in lines:
            told[line.name].append(line)
        for stretch in self.stretches:
            self._look_for_missing(stretch, told[stretch.entry.name])
        self._compare_history(lines)

    def _look_for_missing(self, stretch: Stretch, lines: list[Record]) -> None:
        """Every moment that the plan passed has its line; or the plan never came to it."""
        moment: datetime | None = stretch.first
        name = stretch.entry.name
        while moment is not None and (stretch.until is None or moment < stretch.until):
            if stretch.last is not None and moment > stretch.last:
                return
            covered = (
                line for line in lines if line.planned <= moment <= (line.until or line.planned)
            )
            if not any(covered):
                raise Violation(f"S7 {name} at {moment} vanished")
            moment = planning.next_moment(stretch.entry, moment)

    def _compare_history(self, lines: list[Record]) -> None:
        sent = Counter(arrival.run.task_id for arrival in self.arrived)
        under_way = {line.task_id for line in lines if line.state == "claimed"}
        published: set[str] = set()
        for line in lines:
            if line.state == "published":
                published.add(line.task_id)
                if not sent[line.task_id]:
                    raise Violation(f"S8 told as published, and never sent: {line}")
        for arrival in self.arrived:
            id = arrival.run.task_id
            if id not in published | under_way and not self.doubts[id]:
                raise Violation(f"S8 sent, and not told as published: {arrival.key}")
        for process, ids in self.confirmed.items():
            if process.alive and (lacking := ids - published - under_way):
                raise Violation(f"S8 {process.name} knows that {sorted(lacking)} was published")
        ended = Counter(line.task_id for line in lines if line.state != "claimed" and line.task_id)
        for id, times in ended.items():
            if times > self.store.lives[id]:
                raise Violation(f"S7 {id} ended {times} times")


class TrueStore(MemoryStore):
    """Tells the truth of every effect, at the moment it has."""

    def __init__(self, truth: Truth) -> None:
        world: Any = truth.world
        super().__init__(codec=codec, clock=world)
        self._truth = truth
        self.born: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self.lives: Counter[str] = Counter()

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        before = [self._stored(move.name) for move in moves]
        made = super().claim(moves, term, at)
        for move, row, ok in zip(moves, before, made, strict=True):
            if ok:
                if move.run is not None and move.of != "claim":
                    self.lives[move.run.task_id] += 1
                self._truth.make(move, term, at, row)
        return made

    def record(self, results: Sequence[Result]) -> None:
        super().record(results)
        self._truth.recorded(results)

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        done: list[bool] = []
        for change in changes:
            before = self._stored(change.name)
            (ok,) = super().write([change])
            if ok:
                self._truth.changed(change, before, self._stored(change.name))
            done.append(ok)
        return done
