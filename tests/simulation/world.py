"""Virtual time and the processes in it: every thread of a daemon is a greenlet that one hub turns.

Nothing here is real time and nothing runs at once, so that one integer decides all of it.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from threading import Event
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

from beatd.clock import Earliest

START = datetime(2026, 3, 1, tzinfo=UTC)


class Violation(AssertionError):
    """What beatd promises did not hold."""


class Host:
    """A machine: its wall clock may be wrong, and its elapsed time began at some other moment."""

    def __init__(self, name: str, skew: float = 0.0, boot: int = 0, gains: float = 0.0) -> None:
        self.name, self.skew, self.boot = name, timedelta(seconds=skew), boot
        self.rate = 1 + gains  # of its elapsed time
        self.is_old = False  # an older program is installed

    def true(self, elapsed: float) -> float:
        """True time by what its clock shows as elapsed."""
        return (elapsed - self.boot) / self.rate


class Process:
    """Until it crashes or ends; `frozen_until` is when a stopped one goes on."""

    def __init__(self, name: str, host: Host) -> None:
        self.name, self.host, self.is_old = name, host, host.is_old
        self.dead = False
        self.frozen_until = 0
        self.tasks: list[Task] = []
        self.boundaries = 0
        self.wake: Callable[[], None] | None = None
        self.daemon: Any = None
        self.graceful = False
        self.ticked_at = float("-inf")
        # Of each reply of the store's clock: when it was asked for, and when it arrived.
        self.clock_replies: list[tuple[float, float]] = []
        # Of each difference of the clocks that it reported before: from when, until when, seconds.
        self.reported: list[tuple[float, float, float]] = []

    @property
    def alive(self) -> bool:
        return not self.dead and not self.graceful


class Task(greenlet):
    def __init__(self, process: Process, run: Callable[[], Any], hub: greenlet) -> None:
        super().__init__(run, hub)
        self.process = process
        self.turn = 0  # what is on the heap for an earlier turn is stale
        self.held_up = False  # its turn came while its process was frozen


class World:
    def __init__(self) -> None:
        self.micros = 0
        self.seen: Counter[str] = Counter()
        self.passed: Counter[tuple[str, bool]] = Counter()  # calls, before and after their effect
        self.trace: list[str] = []
        self._heap: list[tuple[int, int, Task, int]] = []
        self._numbers = count()
        self._waiting: dict[Task, Event] = {}
        self.storm_is_over = Event()  # ends what is slow
        self._is_set = False  # one of the events for which tasks wait
        self._end = 0
        self.is_old = False  # what works now is an older program
        self.on_version: Callable[[bool], None] | None = None
        self._hub = getcurrent()

    # time

    def elapsed(self) -> float:
        return self.micros / 1_000_000

    def now(self) -> datetime:
        return START + timedelta(microseconds=self.micros)

    def host_now(self) -> datetime:
        return self.now()

    def steer(self, by: Earliest) -> None: ...

    def advance(self, *, seconds: float) -> None:
        assert seconds == 0, "only the hub moves time"

    # tasks

    def spawn(self, process: Process, run: Callable[[], Any]) -> Task:
        task = Task(process, run, self._hub)
        process.tasks.append(task)
        self._push(task, 0)
        return task

    def _push(self, task: Task, micros: int) -> None:
        task.turn += 1
        heappush(self._heap, (self.micros + micros, next(self._numbers), task, task.turn))

    @property
    def task(self) -> Task | None:
        now = getcurrent()
        return now if isinstance(now, Task) else None

    @property
    def process(self) -> Process | None:
        return None if self.task is None else self.task.process

    def sleep(self, seconds: float) -> None:
        """The task that calls goes on later; a dead one never."""
        task = getcurrent()
        if not isinstance(task, Task):
            return  # the test itself looks, and takes no time
        process = task.process
        if process.dead:
            raise GreenletExit
        micros = -int(-seconds * 1_000_000 // 1)
        until = self.micros + (micros if micros > 1 else 1)
        if self._is_set:
            self._wake_waiting()
        heap = self._heap
        if (
            until <= self._end
            and process.frozen_until <= self.micros
            and not (heap and heap[0][0] <= until)
        ):
            self.micros = until  # no other task has a turn before, so the hub need not be asked
            return
        self._push(task, until - self.micros)
        self._hub.switch()
        if process.dead:
            raise GreenletExit

    def wait(self, seconds: float, event: Event) -> None:
        task = self.task
        assert task is not None
        if not event.is_set():
            self._waiting[task] = event
            self._watch(event)
        else:
            seconds = 0
        try:
            self.sleep(seconds)
        finally:
            self._waiting.pop(task, None)

    def _watch(self, event: Event) -> None:
        """Notice when the event is set, instead of asking each event after each turn."""

        def set_noticed() -> None:
            Event.set(event)
            self._is_set = True

        event.set = set_noticed  # type: ignore[method-assign]

    def _wake_waiting(self) -> None:
        self._is_set = False
        for waiting, event in list(self._waiting.items()):
            if event.is_set():
                del self._waiting[waiting]
                self._push(waiting, 0)

    def freeze(self, process: Process, seconds: float) -> None:
        process.frozen_until = self.micros + int(seconds * 1_000_000)

    def thaw(self, process: Process) -> None:
        process.frozen_until = self.micros
        for task in process.tasks:
            if task.held_up:
                self._push(task, 0)

    def crash(self, process: Process) -> None:
        """Gone at once: nothing it was about to do happens."""
        process.dead = True
        for task in process.tasks:
            if task is not getcurrent() and not task.dead:
                task.parent = getcurrent()
                task.throw(GreenletExit)

    def run(self, until: float) -> None:
        end = self._end = int(until * 1_000_000)
        heap = self._heap
        while heap and heap[0][0] <= end:
            at, _, task, turn = heappop(heap)
            if task.dead or task.process.dead or turn != task.turn:
                continue
            self.micros = max(self.micros, at)
            task.held_up = task.process.frozen_until > self.micros
            if task.held_up:
                self._push(task, task.process.frozen_until - self.micros)
                continue
            task.parent = self._hub
            if task.process.is_old is not self.is_old:
                self.use_version(is_old=task.process.is_old)
            task.switch()
            if self._is_set:
                self._wake_waiting()
        self.micros = max(self.micros, end)
        self.use_version(is_old=False)

    def use_version(self, *, is_old: bool) -> None:
        if self.on_version is not None and is_old is not self.is_old:
            self.on_version(is_old)
        self.is_old = is_old

    def end(self) -> None:
        """Unwind whatever is left, so that no greenlet outlives its test."""
        for process in {task.process for _, _, task, _ in self._heap}:
            self.crash(process)


class HostClock:
    """A daemon's clock: the store's time once steered, else its host's."""

    def __init__(self, world: World, host: Host) -> None:
        self._world, self._host = world, host
        self._earliest: Earliest | None = None

    def now(self) -> datetime:
        earliest = self._earliest
        return self.host_now() if earliest is None else earliest.at(self.elapsed())

    def host_now(self) -> datetime:
        return self._world.now() + self._host.skew

    def elapsed(self) -> float:
        return self._host.boot + self._world.micros / 1_000_000 * self._host.rate

    def steer(self, by: Earliest) -> None:
        self._earliest = by

    def wait(self, seconds: float, wake: Event) -> None:
        self._world.wait(max(0.0, seconds) / self._host.rate, wake)


class Turnstile:
    """A lock that a task may take again; those of `threading` see one thread in all tasks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._owner: Task | None = None
        self._depth = 0

    def __enter__(self) -> None:
        while self._owner not in (None, self._world.task):
            self._world.sleep(0.001)
        self._owner, self._depth = self._world.task, self._depth + 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._owner = None
