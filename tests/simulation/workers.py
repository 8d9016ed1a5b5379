"""Virtual workers: they run what arrives for a time, report it, and die without a word.

Their reports may come late, in another order, twice, or never; the broker may deliver twice.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import Event

from beatd.outcome import OutcomeState
from beatd.outcomes.deliveries import deliveries_of
from beatd.outcomes.outcome_reader import READ_MAX, OutcomeBatch
from beatd.outcomes.valid_reports import valid
from beatd.report import HELD_EVERY_S, Report, Reports
from beatd.run import Run
from tests.simulation.overlaps import Execution, Overlaps
from tests.simulation.wires import Wire
from tests.simulation.world import Host, Process, World

NOTICED_S = 0.25  # until a run that is executed has ended, when it is revoked
FASTEST_S, SLOWEST_S = 0.1, 4.0


@dataclass
class Mischief:
    """How often what happens to runs and reports; nothing, unless it is said."""

    report_lost: float = 0.0
    report_twice: float = 0.0
    report_late_s: float = 0.0  # at most
    delivered_twice: float = 0.0
    revoke_lost: float = 0.0
    dies_every_s: float = 0.0  # on average; 0: never


@dataclass
class Workers:
    """All workers of one broker, and the queue of their reports."""

    world: World
    overlaps: Overlaps
    dice: random.Random
    mischief: Mischief = field(default_factory=Mischief)
    lasts: Callable[[Run], float] | None = None
    alive: "list[Worker]" = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    revoked_of: dict[str, Event] = field(default_factory=lambda: defaultdict(Event))
    queue: list[tuple[float, Reports]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._broker = Process("broker", Host("broker"))
        self._numbers = count(1)

    def start(self) -> "Worker":
        worker = Worker(self, f"worker {next(self._numbers)}")
        self.alive.append(worker)
        return worker

    def die_at_random(self) -> None:
        """Let a worker die now and then, and another one start a little later."""
        while self.mischief.dies_every_s:
            self.world.sleep(self.dice.uniform(0, 2 * self.mischief.dies_every_s))
            if self.alive and self.mischief.dies_every_s:
                self.die(self.dice.choice(self.alive))
                self.world.sleep(self.dice.choice((0.1, 2.0, 8.0)))
                self.start()

    def die(self, worker: "Worker") -> None:
        self.world.seen["a worker died" + (" with a run" if worker.held else "")] += 1
        self.world.trace.append(f"{self.world.elapsed():10.6f} {worker.process.name} died")
        self.alive.remove(worker)
        for execution in worker.executions:
            self.overlaps.ends(execution)
        self.world.crash(worker.process)

    def deliver(self, run: Run) -> None:
        """A message arrived at the broker: bring it to a worker, perhaps to two."""
        twice = self.dice.random() < self.mischief.delivered_twice
        for delay in [self.dice.uniform(0.001, 0.2), *([self.dice.uniform(0.2, 9.0)] * twice)]:
            self.world.spawn(self._broker, lambda delay=delay: self._bring(run, delay))  # type: ignore[misc]

    def _bring(self, run: Run, delay: float) -> None:
        self.world.sleep(delay)
        while not self.alive:
            self.world.sleep(0.1)
        self.dice.choice(self.alive).receive(run)

    def revoke(self, task_ids: Sequence[str]) -> None:
        self.world.seen["a run was revoked"] += len(task_ids)
        if self.dice.random() >= self.mischief.revoke_lost:
            self.revoked |= set(task_ids)
            for task_id in task_ids:
                self.revoked_of[task_id].set()

    def send(self, message: Reports) -> None:
        """Put a message of a worker into the queue of reports, unless mischief takes it."""
        dice, evil = self.dice, self.mischief
        if dice.random() < evil.report_lost:
            self.world.seen["a report was lost"] += 1
            return
        for _ in range(1 + (dice.random() < evil.report_twice)):
            late = dice.uniform(0, evil.report_late_s) if dice.random() < 0.3 else 0.0
            self.queue.append((self.world.elapsed() + 0.001 + late, message))


class Worker:
    """One worker: its process, and the runs that it holds."""

    def __init__(self, workers: Workers, name: str) -> None:
        self._workers, self._world = workers, workers.world
        self.process = Process(name, Host(name))
        self.held: dict[tuple[str, str], Run] = {}
        self.executions: list[Execution] = []
        self._world.spawn(self.process, self._name_what_it_holds)

    def _name_what_it_holds(self) -> None:
        while True:
            self._world.sleep(HELD_EVERY_S)
            self._workers.send(Reports(worker=self.process.name, held=tuple(self.held)))

    def receive(self, run: Run) -> None:
        key = run.task_id, f"{run.task_id} {self.process.name} {self._world.micros}"
        self.held[key] = run
        self._report(key, "received")
        self._world.spawn(self.process, lambda: self._execute(key))

    def _execute(self, key: tuple[str, str]) -> None:
        run, workers, world = self.held[key], self._workers, self._world
        world.sleep(workers.dice.choice((0.001, 0.001, 0.5)))
        if run.task_id in workers.revoked:
            self._end(key, "revoked")
            return
        execution = workers.overlaps.begins(run)
        self.executions.append(execution)
        self._report(key, "started")
        lasts = workers.lasts
        seconds = lasts(run) if lasts else workers.dice.uniform(FASTEST_S, SLOWEST_S)
        world.wait(seconds, workers.revoked_of[run.task_id])
        if run.task_id in workers.revoked:
            world.sleep(workers.dice.uniform(0.001, NOTICED_S))
        workers.overlaps.ends(execution)
        self.executions.remove(execution)
        revoked = run.task_id in workers.revoked
        fails = workers.dice.random() < 0.1
        self._end(key, "revoked" if revoked else "failed" if fails else "succeeded")

    def _end(self, key: tuple[str, str], state: OutcomeState) -> None:
        self._report(key, state)
        del self.held[key]

    def _report(self, key: tuple[str, str], state: OutcomeState) -> None:
        run = self.held[key]
        report = Report(
            id=key[0],
            delivery=key[1],
            entry=run.entry.name,
            planned=run.occurrence.planned,
            state=state,
            at=self._world.now(),
        )
        self._workers.send(Reports(worker=self.process.name, reports=(report,)))


class ReportsWire:
    """The queue of reports as one daemon reads it."""

    hears_workers = True

    def __init__(self, wire: Wire, workers: Workers) -> None:
        self._wire, self._workers = wire, workers
        self._read: list[tuple[float, Reports]] = []

    def read(self) -> OutcomeBatch:
        if self._wire.pass_by("reports.read") == "error":
            raise OSError("connection refused")
        now = self._wire.world.elapsed()
        self._read = [one for one in self._workers.queue if one[0] <= now][:READ_MAX]
        messages = [valid(message)[0] for _, message in self._in_order()]
        return OutcomeBatch(
            deliveries=deliveries_of(messages),
            held=[key for message in messages for key in message.held or ()],
        )

    def _in_order(self) -> Iterator[tuple[float, Reports]]:
        return iter(sorted(self._read, key=lambda one: one[0]))

    def acknowledge(self) -> None:
        if self._wire.pass_by("reports.acknowledge") == "error":
            raise OSError("connection refused")
        gone = {id(one) for one in self._read}
        self._workers.queue[:] = [one for one in self._workers.queue if id(one) not in gone]
        self._read = []

    def close(self) -> None:
        self._read = []
