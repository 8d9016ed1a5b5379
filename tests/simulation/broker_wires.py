"""The broker, and what lies between it and a daemon."""

from collections.abc import Callable, Sequence
from functools import partial

from beatd.publisher import LEAD_LOST, Outcome
from beatd.run import Run
from tests.simulation.groups import InParts, is_group
from tests.simulation.truth import Truth
from tests.simulation.truth_values import PUBLISH_TIMEOUT
from tests.simulation.wires import Wire


class Broker:
    """Takes messages while it is up; some queues are full, and some messages can never be."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.up = True
        self.full: set[str] = set()
        self.revoke: Callable[[Sequence[str]], None] = lambda task_ids: None

    def take(self, wire: Wire, run: Run, part: str = "") -> Outcome:
        if not self.up:
            return Outcome("unsent", "connection refused")
        if run.entry.task == "poison":
            return Outcome("rejected", "it cannot be serialised")
        if run.entry.options.get("queue") in self.full:
            return Outcome("unsent", "the queue is full")
        fate = wire.fate.takes(run)
        if fate:
            wire.world.seen[f"message: {fate}"] += 1
        if fate in ("unsent", "rejected"):
            return Outcome(fate, "by chance")  # type: ignore[arg-type]
        if fate == "unknown, lost":
            return Outcome("unknown", "no answer")
        truth, times_lost = self.truth, self.truth.losses.times[run.task_id]
        if not part or truth.groups.arrive(run, part, truth.key(run), times_lost):
            truth.arrive(wire.process, run)
        return Outcome("unknown", "no answer") if fate else Outcome("confirmed")

    def push(self, wire: Wire, run: Run) -> Outcome:
        """Within the step of a store that lives beside it."""
        if wire.fate.takes(run) == "rejected":
            return Outcome("rejected", "WRONGTYPE")
        self.truth.arrive(wire.process, run, at_once=True)
        return Outcome("confirmed")


class PublisherWire:
    def __init__(self, wire: Wire, broker: Broker, one_by_one: bool) -> None:
        self._wire, self._broker, self._one_by_one = wire, broker, one_by_one
        self._in_parts = InParts(wire.world.seen, wire.truth.groups)

    def prepare(self, runs: Sequence[Run], *, soon: bool = False) -> None: ...

    def forget(self, names: Sequence[str]) -> None: ...

    def revoke(self, task_ids: Sequence[str]) -> None:
        if self._wire.pass_by("revoke") != "error":
            self._broker.revoke(task_ids)

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        wire, outcomes = self._wire, []
        wire.truth.publishes(wire.process, runs)
        if wire.pass_by("publish") == "error":
            return [Outcome("unsent", "connection refused")] * len(runs)
        for run in runs:
            if self._one_by_one:
                if not may_go_on():
                    outcomes.append(Outcome("unsent", LEAD_LOST))
                    continue
                wire.pass_by("message")
            if is_group(run):
                outcomes.append(self._in_parts.send(run, partial(self._broker.take, wire, run)))
            else:
                outcomes.append(self._broker.take(wire, run))
        lost = wire.pass_by("publish", answered=True) == "lost"
        if lost:
            outcomes = [
                Outcome("unknown", "no answer") if one.sent == "confirmed" else one
                for one in outcomes
            ]
        if any(outcome.sent == "unknown" for outcome in outcomes):
            wire.truth.doubt(wire.process)
            wire.world.wait(PUBLISH_TIMEOUT, wire.world.storm_is_over)
        for run, outcome in zip(runs, outcomes, strict=True):
            wire.truth.told(wire.process, run, outcome)
        return outcomes

    def reachable(self) -> bool:
        fault = self._wire.pass_by("broker")
        return self._broker.up and fault != "error"

    def trouble(self) -> str:
        return "" if self._broker.up else "connection refused"

    def close(self) -> None: ...
