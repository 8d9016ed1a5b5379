"""One seed, one life: daemons, operators and weather for a minute, then calm, then the verdict."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from beatd.catalog import Change
from beatd.clock import DRIFT
from beatd.definition import entry_from
from beatd.edits import editing
from beatd.edits.run_requests import backfill, trigger
from beatd.entry import Entry
from beatd.errors import BeatError
from beatd.run import Run
from tests.simulation.files import edit
from tests.simulation.house import House
from tests.simulation.verdict import verdict
from tests.simulation.world import START, Host, Process, World

STORM, CALM = 60.0, 25.0
SETTLED = 12.0  # after the storm: ttl, the publish time-out of what is unknown, and a little
HOT = {"store.claim", "store.record", "store.step", "publish", "message"}
WARM = {"lease.take", "store.begin"}


class Sunshine:
    """Nothing breaks, and every call takes as long as any other."""

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        return ""

    def takes(self, run: Run) -> str:
        return ""

    def pause(self) -> float:
        return 0.001

    def detour(self) -> float:
        return 0.0


class Weather:
    """Faults at random, some kinds never in one seed, so that others are seen alone."""

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
    # By its name, so that no life of an entry differs in this from another.
    plain["on_unknown"] = "skip" if int(name.split()[-1]) % 2 else "resend"
    if "poison" in name:
        plain["task"] = "poison"
    if "full" in name:
        plain["options"] = {"queue": "full"}
    return entry_from(name, plain)


@dataclass(frozen=True)
class Life:
    seen: Counter[str]
    arrived: int
    busiest: int
    trace: list[str]


def live(seed: int) -> Life:
    """Raises Violation; the same seed is the same life."""
    dice = random.Random(seed)
    hours = random.Random(f"clocks of {seed}")
    weather = Weather(dice, hours)
    one_redis = seed % 4 == 3
    has_clock = one_redis or dice.random() < 0.6
    house = House(
        weather,
        tells=dice.random() < 0.6,
        has_clock=has_clock,
        one_by_one=dice.random() < 0.3,
        one_redis=one_redis,
        batch=dice.choice((1000, 1000, 3)),
        restart_after=lambda: dice.choice((0.2, 1.0, 4.0)),
    )
    world = house.world
    names = [f"entry {n}" for n in range(8)]
    names += [name for name in ("poison 8", "full 9") if dice.random() < 0.3]
    if "full 9" in names:
        house.broker.full.add("full")
    for name in names:
        editing.add(house.truth.store, some_entry(name, dice), house.now)
    # Dice of its own, so that what people do to files changes nothing else that befalls a life.
    scribe, declared = random.Random(f"files {seed}"), [f"file {n}" for n in range(5)]
    for name in declared:
        house.files.put(name, some_entry(name, scribe))
    skewed = dice.random() < 0.5
    for n in range(dice.choice((2, 2, 3))):
        skew = dice.uniform(-2, 2) if skewed else 0.0
        boot, gains = dice.randint(0, 10**6), hours.uniform(-DRIFT, DRIFT) * 0.99
        house.start(Host("abc"[n], skew=skew, boot=boot, gains=gains))
    operator = Process("operator", Host("office"))
    world.spawn(operator, lambda: operate(house, names, dice))
    editor = Process("editor", Host("office"))
    world.spawn(editor, lambda: edit(house, declared[1:], some_entry, scribe, STORM + 2))
    nature = Process("nature", Host("sky"))
    world.spawn(nature, lambda: rage(house, weather, dice))
    if has_clock:
        world.spawn(nature, lambda: set_clock(house, weather, hours))
    try:
        world.run(STORM)
        calm(house, weather)
        world.run(STORM + SETTLED)
        if len(house.leaders()) != 1:
            raise AssertionError(f"L1 {len(house.leaders())} leaders, and all is well")
        house.truth.calm = True
        world.run(STORM + CALM)
        (leader,) = house.leaders()
        stuck = {"full 9"} if "full" in house.broker.full else ()
        verdict(house.truth, leader.daemon.now(), frozenset(stuck))
    finally:
        world.end()
    most = max(pace.most for pace in house.paces)
    return Life(world.seen, len(house.truth.arrived), most, world.trace)


def calm(house: House, weather: Weather) -> None:
    weather.storm, weather.store_up, house.broker.up = False, True, True
    for process in house.processes:
        house.world.thaw(process)


def rage(house: House, weather: Weather, dice: random.Random) -> None:
    """What befalls servers and clocks."""
    world: World = house.world
    kinds = ("broker", "store", "wipe", "step", "freeze", "crash", "stop", "full")
    wanted = [kind for kind in kinds if dice.random() < 0.4]
    while wanted and weather.storm:
        world.sleep(dice.uniform(1.0, 12.0))
        if not weather.storm:
            return
        kind, alive = dice.choice(wanted), house.alive
        world.trace.append(f"{world.elapsed():10.6f} nature: {kind}")
        world.seen[f"nature: {kind}"] += 1
        victim = dice.choice(alive) if alive else None
        if kind == "broker":
            house.broker.up = False
            world.sleep(dice.choice((0.2, 3.0, 9.0)))
            house.broker.up = True
        elif kind == "store":
            weather.store_up = False
            world.sleep(dice.choice((0.2, 3.0, 9.0)))
            weather.store_up = True
        elif kind == "wipe":
            house.office.held, house.wiped_at = None, world.elapsed()
        elif kind == "full" and "full" not in house.broker.full:
            house.broker.full.add("full")
            world.sleep(dice.choice((3.0, 9.0)))
            house.broker.full.discard("full")
        elif victim is None:
            continue
        elif kind == "step":
            victim.host.skew += timedelta(seconds=dice.choice((-3600, -30, -2, 2, 30, 3600)))
        elif kind == "freeze":
            house.truth.doubt(victim)
            world.freeze(victim, dice.choice((1.0, 2.5, 6.0, 15.0)))
        elif kind == "crash":
            house.truth.doubt(victim)
            house.crash(victim)
        elif kind == "stop":
            house.stop(victim)


def set_clock(house: House, weather: Weather, hours: random.Random) -> None:
    """What befalls the store's clock."""
    world, clock = house.world, house.store_clock
    kinds = ("clock", "fail-over", "clock, far")
    wanted = [kind for kind in kinds if hours.random() < 0.2]
    while wanted and weather.storm:
        world.sleep(hours.uniform(1.0, 12.0))
        if not weather.storm:
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


class Hand:
    """The store as an operator reaches it: daemons live on between a look at it and a change."""

    def __init__(self, house: House, dice: random.Random) -> None:
        self._store, self._world, self._dice = house.truth.store, house.world, dice

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        self._world.sleep(self._dice.choice((0.001, 0.02, 1.0)))
        return self._store.write(changes)


WISHES = ("remove", "add", "args", "when", "pause", "resume", "trigger", "backfill")


def operate(house: House, names: list[str], dice: random.Random) -> None:
    """People who edit whatever they please, at the worst of moments."""
    world = house.world
    store: Any = Hand(house, dice)
    pace = dice.choice((2.0, 8.0, 100.0))
    while True:
        world.sleep(min(dice.uniform(0.0, pace), STORM + 2 - world.elapsed()))
        if world.elapsed() >= STORM + 2:
            break
        name, now = dice.choice(names), house.now()
        what = dice.choice(WISHES)
        try:
            if what == "remove":
                editing.remove(store, [name])
            elif what == "add":
                editing.add(store, some_entry(name, dice), house.now)
            elif what == "args":
                args = (dice.randint(0, 9),)
                editing.patch(store, name, lambda entry, a=args: replace(entry, args=a), house.now)
            elif what == "when":
                editing.put(store, some_entry(name, dice), house.now)
            elif what == "pause":
                editing.pause(store, [name], house.now)
            elif what == "resume":
                editing.resume(store, [name], house.now)
            elif what == "trigger":
                trigger(store, name, now)
            else:
                backfill(store, name, now - timedelta(seconds=dice.uniform(0, 30)), now, now)
            world.seen[f"operator: {what}"] += 1
            world.trace.append(f"{world.elapsed():10.6f} operator: {what} {name}")
        except BeatError:
            continue
        house.wake_all()
    for name in names:
        try:
            editing.resume(store, [name], house.now)
        except BeatError:
            continue
    house.wake_all()
