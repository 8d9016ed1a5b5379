"""A scenario for each seed: a minute of daemons, operators and faults, calm, and the verdict."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from beatd.catalog import Change
from beatd.changes import Author
from beatd.clock import MAX_DRIFT
from beatd.definition import entry_from
from beatd.edits import editing, pausing
from beatd.edits.run_requests import backfill, trigger
from beatd.entry import Entry
from beatd.errors import BeatError
from beatd.run import Run
from tests.simulation.deployment import Deployment
from tests.simulation.files import edit
from tests.simulation.overlaps import Overlaps
from tests.simulation.pauses import pause_at_random
from tests.simulation.verdict import verdict
from tests.simulation.workers import Mischief, Workers
from tests.simulation.world import START, Host, Process, World

STORM, CALM = 60.0, 25.0
CALM_WITH_WORKERS = 75.0  # of which a run that nobody names any more takes the most
SETTLED = 14.0  # after the storm: a call that took 12 s, a turn of the housekeeping, and a little
HOT = {"store.claim", "store.record", "store.step", "publish", "message"}
WARM = {"lease.take", "store.begin"}


class NoFaults:
    """A network in which nothing breaks and every call takes as long as any other."""

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        return ""

    def takes(self, run: Run) -> str:
        return ""

    def pause(self) -> float:
        return 0.001

    def detour(self) -> float:
        return 0.0


class RandomFaults:
    """Faults drawn from a seed; some kinds are left out, so that others are seen alone."""

    def __init__(self, dice: random.Random, hours: random.Random) -> None:
        self.dice, self.hours = dice, hours
        self.far = hours.choice((0.0, 0.01, 0.1))
        self.storm = True
        self.rates = {
            kind: dice.choice((0.0, 0.3, 1.0)) * rate
            for kind, rate in (
                ("crash", 0.004),
                ("freeze", 0.004),
                ("slow", 0.01),
                ("error", 0.03),
                ("lost", 0.03),
            )
        }
        self.messages = {
            kind: dice.choice((0.0, 0.0, 0.05))
            for kind in ("unsent", "rejected", "unknown, lost", "unknown, arrived")
        }
        self.store_up = True

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        if not self.storm:
            return ""
        if not self.store_up and not answered and place.startswith(("store", "lease")):
            return "error"
        chance = self.dice.random() / (1.0 if place in HOT else 0.5 if place in WARM else 0.1)
        for kind, rate in self.rates.items():
            if chance < rate:
                if kind in ("freeze", "slow"):
                    return f"{kind} {self.dice.choice((0.3, 1.0, 1.9, 2.5, 6.0, 12.0)):g}"
                return kind if answered == (kind == "lost") or kind == "crash" else ""
            chance -= rate
        return ""

    def takes(self, run: Run) -> str:
        if not self.storm:
            return ""
        chance = self.dice.random()
        for kind, rate in self.messages.items():
            if chance < rate:
                return kind
            chance -= rate
        return ""

    def pause(self) -> float:
        return self.dice.choice((0.0001, 0.0005, 0.002, 0.01))

    def detour(self) -> float:
        return self.hours.uniform(0, self.far) if self.hours.random() < 0.3 else 0.0


SCHEDULES: tuple[dict[str, Any], ...] = (
    {"every": "1s"},
    {"every": "2s", "catch_up": "all", "catch_up_window": "30s"},
    {"every": "3s", "catch_up": "skip", "grace": "2s"},
    {"every": "700ms"},
    {"every": "5s", "jitter": "3s"},
    {"cron": "*/4 * * * * *"},
    {"cron": "*/10 * * * * *", "catch_up": "all", "catch_up_max": 3},
    {"every": "2s", "max_runs": 9},
    {"every": "3s", "catch_up": "all", "catch_up_max": 5, "max_runs": 12},
    {"at": (START + timedelta(seconds=17, microseconds=123456)).isoformat()},
    {"every": "2s", "end": (START + timedelta(seconds=40)).isoformat()},
    {"every": "4s", "start": (START + timedelta(seconds=8)).isoformat(), "phase": "1s"},
)


def some_entry(name: str, dice: random.Random) -> Entry:
    plain: dict[str, Any] = {"task": "t", "args": [dice.randint(0, 9)], **dice.choice(SCHEDULES)}
    # By its name, so that an entry that is added again has the same.
    plain["on_unknown"] = "skip" if int(name.split()[-1]) % 2 else "resend"
    if "poison" in name:
        plain["task"] = "poison"
    if "full" in name:
        plain["options"] = {"queue": "full"}
    if name.startswith("alone"):
        number = int(name.split()[-1])
        plain["overlap"] = ("skip", "queue", "replace")[number % 3]
        plain["max_run"] = ("45s", "8s")[number // 3 % 2]
    return entry_from(name, plain)


@dataclass(frozen=True)
class Scenario:
    seen: Counter[str]
    arrived: int
    busiest: int
    trace: list[str]


def some_workers(dice: random.Random) -> Callable[[World, Overlaps], Workers]:
    """Return what makes workers with some of the mischief that there is."""

    def chosen(*rates: float) -> float:
        return dice.choice((0.0, *rates))

    mischief = Mischief(
        report_lost=chosen(0.03),
        report_twice=chosen(0.1),
        report_late_s=chosen(1.0, 8.0),
        delivered_twice=chosen(0.05),
        revoke_lost=chosen(0.2),
        dies_every_s=chosen(4.0, 15.0),
    )

    return lambda world, overlaps: Workers(world, overlaps, dice, mischief)


def play(seed: int, *, overlap: bool = False, rates: Mapping[str, float] | None = None) -> Scenario:
    """Play the scenario of this seed; raise Violation when a promise breaks.

    With `overlap`, most entries do not allow overlap, and workers run what arrives. `rates` takes
    the place of some rates of faults that the seed decides.
    """
    dice = random.Random(seed)
    hours = random.Random(f"clocks of {seed}")
    faults = RandomFaults(dice, hours)
    for kind, rate in (rates or {}).items():
        (faults.rates if kind in faults.rates else faults.messages)[kind] = rate
    one_redis = seed % 4 == 3
    has_clock = one_redis or dice.random() < 0.6
    deployment = Deployment(
        faults,
        tells=dice.random() < 0.6,
        has_clock=has_clock,
        one_by_one=dice.random() < 0.3,
        one_redis=one_redis,
        batch=dice.choice((1000, 1000, 3)),
        restart_after=lambda: dice.choice((0.2, 1.0, 4.0)),
        workers=some_workers(random.Random(f"workers of {seed}")) if overlap else None,
    )
    world, workers = deployment.world, deployment.workers
    names = [f"entry {n}" for n in range(2 if overlap else 8)]
    names += [f"alone {n}" for n in range(6)] if overlap else []
    names += [name for name in ("poison 8", "full 9") if dice.random() < 0.3]
    if "full 9" in names:
        deployment.broker.full.add("full")
    for name in names:
        editing.add(deployment.truth.store, some_entry(name, dice), deployment.now)
    # Dice of its own, so that what people do to files changes nothing else in a scenario.
    scribe, declared = random.Random(f"files {seed}"), [f"file {n}" for n in range(5)]
    for name in declared:
        deployment.files.put(name, some_entry(name, scribe))
    skewed = dice.random() < 0.5
    for n in range(dice.choice((2, 2, 3))):
        skew = dice.uniform(-2, 2) if skewed else 0.0
        boot, gains = dice.randint(0, 10**6), hours.uniform(-MAX_DRIFT, MAX_DRIFT) * 0.99
        deployment.start(Host("abc"[n], skew=skew, boot=boot, gains=gains))
    if workers is not None:
        for _ in range(2):
            workers.start()
        world.spawn(Process("night", Host("cellar")), workers.die_at_random)
    operator = Process("operator", Host("office"))
    world.spawn(operator, lambda: operate(deployment, names, dice))
    editor = Process("editor", Host("office"))
    world.spawn(editor, lambda: edit(deployment, declared[1:], some_entry, scribe, STORM + 2))
    resting = random.Random(f"pauses of {seed}")
    if resting.random() < 0.4:
        slow, pauser = SlowStore(deployment, resting), Process("pauser", Host("office"))
        world.spawn(pauser, lambda: pause_at_random(deployment, slow, names, resting, STORM + 10))
    nature = Process("nature", Host("sky"))
    world.spawn(nature, lambda: break_servers(deployment, faults, dice))
    if has_clock:
        world.spawn(nature, lambda: set_clock(deployment, faults, hours))
    try:
        world.run(STORM)
        calm(deployment, faults)
        world.run(STORM + SETTLED)
        if len(deployment.leaders()) != 1:
            raise AssertionError(f"L1 {len(deployment.leaders())} leaders, and all is well")
        deployment.truth.calm = True
        world.run(STORM + (CALM_WITH_WORKERS if overlap else CALM))
        (leader,) = deployment.leaders()
        stuck = {"full 9"} if "full" in deployment.broker.full else ()
        verdict(deployment.truth, leader.daemon.now(), frozenset(stuck))
    finally:
        world.end()
    most = max(pace.most for pace in deployment.paces)
    return Scenario(world.seen, len(deployment.truth.arrived), most, world.trace)


def calm(deployment: Deployment, faults: RandomFaults) -> None:
    faults.storm, faults.store_up, deployment.broker.up = False, True, True
    if deployment.workers is not None:
        deployment.workers.mischief = Mischief()
    for process in deployment.processes:
        deployment.world.thaw(process)


def break_servers(deployment: Deployment, faults: RandomFaults, dice: random.Random) -> None:
    """Break servers and clocks at random until the storm ends."""
    world: World = deployment.world
    kinds = ("broker", "store", "wipe", "step", "freeze", "crash", "stop", "full")
    wanted = [kind for kind in kinds if dice.random() < 0.4]
    while wanted and faults.storm:
        world.sleep(dice.uniform(1.0, 12.0))
        if not faults.storm:
            return
        kind, alive = dice.choice(wanted), deployment.alive
        world.trace.append(f"{world.elapsed():10.6f} nature: {kind}")
        world.seen[f"nature: {kind}"] += 1
        victim = dice.choice(alive) if alive else None
        if kind == "broker":
            deployment.broker.up = False
            world.sleep(dice.choice((0.2, 3.0, 9.0)))
            deployment.broker.up = True
        elif kind == "store":
            faults.store_up = False
            world.sleep(dice.choice((0.2, 3.0, 9.0)))
            faults.store_up = True
        elif kind == "wipe":
            deployment.lease.held, deployment.wiped_at = None, world.elapsed()
        elif kind == "full" and "full" not in deployment.broker.full:
            deployment.broker.full.add("full")
            world.sleep(dice.choice((3.0, 9.0)))
            deployment.broker.full.discard("full")
        elif victim is None:
            continue
        elif kind == "step":
            victim.host.skew += timedelta(seconds=dice.choice((-3600, -30, -2, 2, 30, 3600)))
        elif kind == "freeze":
            deployment.truth.doubt(victim)
            world.freeze(victim, dice.choice((1.0, 2.5, 6.0, 15.0)))
        elif kind == "crash":
            deployment.truth.doubt(victim)
            deployment.crash(victim)
        elif kind == "stop":
            deployment.stop(victim)


def set_clock(deployment: Deployment, faults: RandomFaults, hours: random.Random) -> None:
    """Set the store's clock at random until the storm ends."""
    world, clock = deployment.world, deployment.store_clock
    kinds = ("clock", "fail-over", "clock, far")
    wanted = [kind for kind in kinds if hours.random() < 0.2]
    while wanted and faults.storm:
        world.sleep(hours.uniform(1.0, 12.0))
        if not faults.storm:
            return
        kind = hours.choice(wanted)
        world.trace.append(f"{world.elapsed():10.6f} nature: {kind}")
        world.seen[f"nature: {kind}"] += 1
        if kind == "clock":
            clock.set(seconds=hours.choice((-0.2, -0.05, 0.05, 0.2)))
        elif kind == "fail-over":
            clock.fail_over(seconds=hours.choice((-0.05, -0.002, 0.002, 0.05)))
        else:
            clock.set(seconds=hours.choice((-2.0, 2.0)))


class SlowStore:
    """An operator's store: time passes, and daemons work, between a read and a write."""

    def __init__(self, deployment: Deployment, dice: random.Random) -> None:
        self._store, self._world, self._dice = deployment.truth.store, deployment.world, dice

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        self._world.sleep(self._dice.choice((0.001, 0.02, 1.0)))
        return self._store.write(changes)


WISHES = ("remove", "add", "args", "when", "pause", "resume", "trigger", "backfill")


def operate(deployment: Deployment, names: list[str], dice: random.Random) -> None:
    """People who edit whatever they please, at the worst of moments."""
    world = deployment.world
    store: Any = SlowStore(deployment, dice)
    pace = dice.choice((2.0, 8.0, 100.0))
    while True:
        world.sleep(min(dice.uniform(0.0, pace), STORM + 2 - world.elapsed()))
        if world.elapsed() >= STORM + 2:
            break
        name, now = dice.choice(names), deployment.now()
        what = dice.choice(WISHES)
        try:
            if what == "remove":
                editing.remove(store, [name])
            elif what == "add":
                editing.add(store, some_entry(name, dice), deployment.now)
            elif what == "args":
                args = (dice.randint(0, 9),)
                editing.patch(
                    store, name, lambda entry, a=args: replace(entry, args=a), deployment.now
                )
            elif what == "when":
                editing.put(store, some_entry(name, dice), deployment.now)
            elif what == "pause":
                pausing.pause(store, [name], deployment.now, Author("ann"))
            elif what == "resume":
                pausing.resume(store, [name], deployment.now, Author("ann"))
            elif what == "trigger":
                trigger(store, name, now)
            else:
                backfill(store, name, now - timedelta(seconds=dice.uniform(0, 30)), now, now)
            world.seen[f"operator: {what}"] += 1
            world.trace.append(f"{world.elapsed():10.6f} operator: {what} {name}")
        except BeatError:
            continue
        deployment.wake_all()
    ends_itself = set(store.ending_pauses(deployment.now() + timedelta(hours=1), 100))
    for name in names:
        try:
            if name not in ends_itself:
                pausing.resume(store, [name], deployment.now, Author("ann"))
        except BeatError:
            continue
    deployment.wake_all()
