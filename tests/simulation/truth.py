"""What really happened, beside what the store was told: every promise is checked here.

What can be told at once is told at once; `verdict.py` tells the rest when the world is at rest.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from beatd import planning
from beatd.catalog import Change, Stored
from beatd.entry import Entry
from beatd.leader import Term
from beatd.ledger import Move, Request, Result
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run, task_id
from tests.simulation.claims import look_at_claim
from tests.simulation.groups import Groups, is_group
from tests.simulation.incidents import Told
from tests.simulation.losses import Losses
from tests.simulation.overlaps import Overlaps
from tests.simulation.pauses import Pauses
from tests.simulation.server_clock import ServerClock
from tests.simulation.true_store import TrueStore
from tests.simulation.truth_values import (
    Arrival,
    Backfill,
    Key,
    Known,
    Sending,
    Stretch,
)
from tests.simulation.versions import Versions
from tests.simulation.world import Process, Violation, World


@dataclass
class Truth:
    world: World
    clock: ServerClock | None = None  # None: each daemon goes by its host's
    old_hosts: frozenset[str] = frozenset()
    known: dict[str, Known] = field(default_factory=dict)
    stretches: list[Stretch] = field(default_factory=list)
    generations: Counter[str] = field(default_factory=Counter)
    claimed: dict[Key, int] = field(default_factory=dict)
    open: dict[Occurrence, Sending] = field(default_factory=dict)
    holding: dict[Process, set[str]] = field(default_factory=lambda: defaultdict(set))
    doubts: Counter[str] = field(default_factory=Counter)
    arrived: list[Arrival] = field(default_factory=list)
    arrived_of: dict[Key, list[Arrival]] = field(default_factory=lambda: defaultdict(list))
    backfills: list[Backfill] = field(default_factory=list)
    confirmed: dict[Process, set[str]] = field(default_factory=lambda: defaultdict(set))
    calm: bool = False
    calm_since: float = float("inf")
    edited_at: float = float("-inf")
    late: set[str] = field(default_factory=set)  # what was written by whoever led before
    declared: dict[str, tuple[Entry | None, float]] = field(default_factory=dict)
    began: dict[int, float] = field(default_factory=dict)  # when each term did
    losses: Losses = field(default_factory=Losses)
    groups: Groups = field(default_factory=Groups)

    def __post_init__(self) -> None:
        self.versions = Versions(self.world, self.old_hosts)
        self.store, self.overlaps = TrueStore(self), Overlaps(self.world)
        self.pauses, self.notices = (
            Pauses(self.world),
            Told(self.world, clocks_agree=self.clock is not None),
        )
        self.deliver: Callable[[Run], None] = lambda run: None  # to the workers, if there are any

    @property
    def checks_age(self) -> bool:
        """Whether all clocks agree, so that the age of a claim can be judged."""
        return self.clock is not None

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
            born = reversed(self.store.born[name])
            generation = next((g for revision, g in born if revision <= run.revision), 0)
        return name, generation, moment, run.occurrence.request

    def arrive(self, process: Process, run: Run, *, at_once: bool = False) -> None:
        key = self.key(run)
        if run.task_id != task_id(self.store.namespace, run.occurrence):
            raise Violation(f"S2 another id: {run.task_id} of {key}")
        if key not in self.claimed and self.losses.excused[run.task_id] < 1:
            raise Violation(f"S1 published without a claim: {key}")
        before = self.arrived_of[key]
        if before and self.losses.excuses(run.task_id):
            self.world.seen["a double after a loss"] += 1
        elif before:
            if at_once and all(one.at_once for one in before):
                raise Violation(f"S2 doubled although claim and push are one: {key}")
            self.world.seen["a double under the same id"] += 1
            if run.entry.on_unknown == "skip":
                raise Violation(f"S2 doubled although on_unknown is skip: {key}")
            if self.doubts[run.task_id] < len(before):
                raise Violation(f"S2 doubled without an ambiguity: {key}")
        if self.clock is not None:
            self.clock.publishes(process, run)
        if self.open.get(run.occurrence, Sending(process, 0)).process is not process:
            self.world.seen["a message of a claim that another took over"] += 1
        arrival = Arrival(run, process, key, at_once)
        self.arrived.append(arrival)
        before.append(arrival)
        self.deliver(run)

    def publishes(self, process: Process, runs: Sequence[Run]) -> None:
        for run in runs:
            sending = self.open.get(run.occurrence)
            if sending is not None and sending.process is process:
                sending.publishes_since = self.world.elapsed()

    def told(self, process: Process, run: Run, outcome: Outcome) -> None:
        if outcome.sent == "confirmed":
            self.confirmed[process].add(run.task_id)
        if outcome.sent == "unknown":
            self.doubts[run.task_id] += 1

    # claims

    def make(self, move: Move, term: Term, at: datetime, before: Stored | None) -> None:
        look_at_claim(self, move, term, at, before)

    def recorded(self, results: Sequence[Result]) -> None:
        process = self.world.process
        assert process is not None
        for result in results:
            self.holding[process].discard(result.run.task_id)
            self.losses.recorded.add(result.run.task_id)
            if is_group(result.run):
                times_lost = self.losses.times[result.run.task_id]
                self.groups.recorded(result.run, result.outcome, self.key(result.run), times_lost)
            if result.outcome.sent in ("confirmed", "rejected"):
                self.open.pop(result.run.occurrence, None)

    # what operators do

    def changed(self, change: Change, before: Stored | None, after: Stored | None) -> None:
        name = change.name
        known = self.known.get(name)
        self.edited_at = self.world.elapsed()
        self._look_who_applies(name)
        self.versions.plans(before, after, leads=self._leads())
        ended = before is None or before.plan.due is None
        replanned = after is None or ended or before.plan != after.plan
        mark = None if after is None else planning.fingerprint(after.entry)
        self.backfills = [
            one
            for one in self.backfills
            if one.request.name != name or planning.fingerprint(one.entry) == mark
        ]
        if replanned and known is not None and known.stretch is not None and before is not None:
            known.stretch.end(before)
            known.stretch = None
        if after is None:
            if known is not None and before is not None:
                self.compare_runs(known, before)
            self.known.pop(name, None)
            return
        if known is None:
            self.generations[name] += 1
            known = self.known[name] = Known(after.entry, after.paused, self.generations[name])
            self.store.born[name].append((after.revision, known.generation))
        known.edited_at = self.edited_at
        known.entry, known.paused = after.entry, after.paused
        if known.stretch is None and after.plan.due is not None and after.plan.planned is not None:
            known.stretch = Stretch(after.entry, after.plan.planned, self.world.is_old)
            self.stretches.append(known.stretch)

    def _look_who_applies(self, name: str) -> None:
        """A leader that froze in a write may write when others lead; they mend it."""
        leads, process = self.store.term(), self.world.process
        if name in self.declared and process is not None and leads is not None:
            if leads[1].name == process.name:
                self.late.discard(name)
            else:
                self.world.seen["files were applied late"] += 1
                self.late.add(name)

    def _leads(self) -> bool:
        leads, process = self.store.term(), self.world.process
        return leads is not None and process is not None and leads[1].name == process.name

    def asked(self, requests: Sequence[Request]) -> None:
        self.backfills += [
            Backfill(self.known[request.name].entry, request)
            for request in requests
            if request.kind == "backfill"
        ]

    def compare_runs(self, known: Known, row: Stored) -> None:
        if row.runs != known.counted:
            name = row.entry.name
            raise Violation(f"{name} ran {known.counted} times, and its runs are {row.runs}")
