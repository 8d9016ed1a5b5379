"""Whether two runs of one entry were running at once: in the ledger never, in truth only where a
broker delivered twice, a worker was silent for too long or the store lost a run."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from beatd.ledger import Move
from beatd.outcome import Delivery
from beatd.run import Run, Running
from tests.simulation.world import Violation, World

STUCK_S = 65.0  # a run that was prolonged and never named again counts for a minute


@dataclass(eq=False)
class Execution:
    run: Run
    began: float


@dataclass
class Overlaps:
    world: World
    executed: dict[str, list[Execution]] = field(default_factory=lambda: defaultdict(list))
    begun: Counter[str] = field(default_factory=Counter)
    claimed_at: dict[str, float] = field(default_factory=dict)  # by task id, in true time
    freed: set[str] = field(default_factory=set)  # runs that the ledger gave up without an end
    lost: set[str] = field(default_factory=set)  # runs that the ledger forgot

    # in the ledger

    def claimed(self, move: Move, before: Running | None, at: datetime) -> None:
        """A move was made: none with a run while another one counts as running."""
        change, id = move.running, "" if move.run is None else move.run.task_id
        if change is None:
            return
        self.claimed_at[id] = self.world.elapsed()
        if move.run is None and change.until is not None:
            self.world.seen["a moment waited for the end of a run"] += 1
        if before is not None and before.task_id != id and (id or change.is_over):
            if before.until > at:
                raise Violation(f"O1 {move} was claimed while {before} was running")
            self.freed.add(before.task_id)
            self.world.seen["a run was silent for max_run"] += 1

    def removed(self, running: Running) -> None:
        """An entry was removed while a run of it was running; if it is added again, the new one
        does not know of that run."""
        self.freed.add(running.task_id)
        self.world.seen["an entry was removed with a running run"] += 1

    def reported(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            if delivery.state == "lost":
                self.freed.add(delivery.task_id)
                self.world.seen["a run was lost"] += 1

    def look_for_stuck(self, running: dict[str, Running], now: datetime) -> None:
        for name, run in running.items():
            # Not by `since`: the clock of a host may have been set by an hour meanwhile.
            since = self.claimed_at[run.task_id]
            if since < self.world.elapsed() - STUCK_S and run.until > now:
                raise Violation(f"O3 {name} waits for {run}, and all is well")

    # in truth

    def begins(self, run: Run) -> Execution:
        name, id = run.entry.name, run.task_id
        execution = Execution(run, self.world.elapsed())
        self.begun[id] += 1
        for other in self.executed[name]:
            if other.run.task_id == id:
                self.world.seen["one run was executed twice at once"] += 1
            elif run.entry.overlap != "allow":
                self._overlap(execution, other)
        self.executed[name].append(execution)
        return execution

    def _overlap(self, one: Execution, other: Execution) -> None:
        if any(self.begun[each.run.task_id] > 1 for each in (one, other)):
            self.world.seen["two overlap, as one was delivered twice"] += 1
        elif {one.run.task_id, other.run.task_id} & self.freed:
            self.world.seen["two overlap, as one was silent"] += 1
        elif {one.run.task_id, other.run.task_id} & self.lost:
            self.world.seen["two overlap, as the store lost one"] += 1
        else:
            raise Violation(f"O2 {one.run} began while {other.run} was running")

    def ends(self, execution: Execution) -> None:
        self.executed[execution.run.entry.name].remove(execution)
