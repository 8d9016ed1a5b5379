"""How a life goes: as its seed says, the same written down, or as a script says."""

import random
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Protocol

from beatd.run import Run
from tests.simulation.decisions import ACTS, ENDS, MICROS, Decision, Script
from tests.simulation.deployment import Deployment
from tests.simulation.dice import Dice, SameDice
from tests.simulation.faults import RandomFaults
from tests.simulation.wires import Fate
from tests.simulation.world import Process

SAME_MOMENT_MICROS = (
    MICROS  # how much later a fault may strike the same call, when its life changed
)
PAUSE_S = 0.001
MESSAGE = "message"


class Watch(Protocol):
    def __call__(self, deployment: Deployment) -> None: ...


def nothing(deployment: Deployment) -> None: ...


class Course:
    """As the seed says, and written down."""

    def __init__(self, watch: Watch = nothing) -> None:
        self._watch = watch
        self.deployment: Deployment | None = None
        self.log: list[Decision] = []
        self.pauses: dict[str, list[float]] = defaultdict(list)  # by host
        self.detours: dict[str, list[float]] = defaultdict(list)

    def dice(self, base: random.Random, actor: str) -> Dice:
        return Dice(base, actor, self.log)

    def fate(self, faults: RandomFaults) -> Fate:
        return Noting(self, faults)

    def storm_s(self, storm: float) -> float:
        return storm

    def has(self, name: str) -> bool:
        """True if this entry or host takes part."""
        return True

    has_mischief = True

    def attach(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._watch(deployment)

    @property
    def micros(self) -> int:
        return 0 if self.deployment is None else self.deployment.world.micros

    @property
    def host(self) -> str:
        """The name of the host that calls."""
        process = None if self.deployment is None else self.deployment.world.process
        return "" if process is None else process.host.name

    def script(self, seed: int, *, overlap: bool, needs: str = "") -> Script:
        return Script(
            seed=seed,
            overlap=overlap,
            decisions=tuple(self._decisions()),
            pauses=dict(self.pauses),
            detours=dict(self.detours),
            needs=needs,
        )

    def _decisions(self) -> Iterator[Decision]:
        newest = {one.who: n for n, one in enumerate(self.log)}
        for n, one in enumerate(self.log):
            if one.what != ACTS or one.draws:
                yield one
            elif newest[one.who] == n:
                yield Decision(one.at, one.who, ENDS)


class Plain(Course):
    """As the seed says; only the actors' draws are written down, which are few."""

    def fate(self, faults: RandomFaults) -> Fate:
        return faults


class Noting:
    """Faults as the seed says, written down."""

    def __init__(self, course: Course, faults: RandomFaults) -> None:
        self._course, self._faults = course, faults

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        fault = self._faults.strikes(process, place, answered)
        if fault and not self._faults.is_away(place, answered):
            self._note(process.host.name, fault, side_of(place, answered))
        return fault

    def takes(self, run: Run) -> str:
        fault = self._faults.takes(run)
        if fault:
            self._note(run.occurrence.name, fault, MESSAGE)
        return fault

    def _note(self, who: str, what: str, where: str) -> None:
        self._course.log.append(Decision(self._course.micros, who, what, where))

    def pause(self) -> float:
        pause = self._faults.pause()
        self._course.pauses[self._course.host].append(pause)
        return pause

    def detour(self) -> float:
        detour = self._faults.detour()
        self._course.detours[self._course.host].append(detour)
        return detour


class Aimed(Course):
    """As the seed says, and one fault more: at the first call of this kind, if there is one."""

    def __init__(self, fault: str, where: str, watch: Watch = nothing) -> None:
        super().__init__(watch)
        self._fault, self._where = fault, where
        self.has_struck = False

    def fate(self, faults: RandomFaults) -> Fate:
        return Aiming(self, faults)

    def strikes(self, where: str) -> str:
        if self.has_struck or where != self._where:
            return ""
        self.has_struck = True
        return self._fault


class Aiming(Noting):
    def __init__(self, course: Aimed, faults: RandomFaults) -> None:
        super().__init__(course, faults)
        self._aimed = course

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        if self._faults.storm and not self._faults.is_away(place, answered):
            fault = self._aimed.strikes(side_of(place, answered))
            if fault:
                self._note(process.host.name, fault, side_of(place, answered))
                return fault
        return super().strikes(process, place, answered)


def side_of(place: str, answered: bool) -> str:
    return f"{'after' if answered else 'before'} {place}"


class Replay(Course):
    """As a script says."""

    def __init__(self, script: Script, watch: Watch = nothing) -> None:
        super().__init__(watch)
        self._script = script
        self.has_mischief = not script.no_mischief

    def dice(self, base: random.Random, actor: str) -> Dice:
        return SameDice(actor, self._script.decisions, ends_early=self._script.storm_s is not None)

    def fate(self, faults: RandomFaults) -> Fate:
        return Scripted(self, self._script, faults)

    def storm_s(self, storm: float) -> float:
        return storm if self._script.storm_s is None else self._script.storm_s

    def has(self, name: str) -> bool:
        return name not in self._script.without


class Scripted:
    """Faults as a script says: each at its moment, or at the next same call soon after it."""

    def __init__(self, course: Course, script: Script, faults: RandomFaults) -> None:
        self._course, self._faults = course, faults
        self._pauses, self._detours = in_turn(script.pauses), in_turn(script.detours)
        self._due: dict[tuple[str, str], deque[Decision]] = defaultdict(deque)
        for one in sorted(script.decisions, key=lambda one: one.at):
            if one.where:
                self._due[one.who, one.where].append(one)

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        if not self._faults.storm:
            return ""
        if self._faults.is_away(place, answered):
            return "error"
        return self._due_now(process.host.name, side_of(place, answered))

    def takes(self, run: Run) -> str:
        name = run.occurrence.name
        fate = self._due_now(name, MESSAGE) if self._faults.storm else ""
        if fate and self._course.deployment is not None:
            world = self._course.deployment.world
            world.trace.append(f"{world.elapsed():10.6f} broker: {fate} of {name}")
        return fate

    def _due_now(self, who: str, where: str) -> str:
        due, now = self._due.get((who, where)), self._course.micros
        while due and due[0].at <= now:
            one = due.popleft()
            if now - one.at < SAME_MOMENT_MICROS:
                return one.what
        return ""

    def pause(self) -> float:
        return next_of(self._pauses.get(self._course.host), PAUSE_S)

    def detour(self) -> float:
        return next_of(self._detours.get(self._course.host), 0.0)


def in_turn(values: dict[str, list[float]]) -> dict[str, deque[float]]:
    return {host: deque(those) for host, those in values.items()}


def next_of(values: deque[float] | None, otherwise: float) -> float:
    """Return the first value and move it to the end."""
    if not values:
        return otherwise
    values.rotate(-1)
    return values[-1]
