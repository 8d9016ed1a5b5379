"""A scenario for each seed: daemons, operators and faults, then calm, and the verdict."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from beatd.clock import MAX_DRIFT
from beatd.edits import editing
from tests.simulation.batches import edit_several
from tests.simulation.bias import NONE, Bias
from tests.simulation.course import Course, Plain
from tests.simulation.deployment import Deployment
from tests.simulation.faults import RandomFaults, break_servers, set_clock
from tests.simulation.files import edit
from tests.simulation.losses import lose
from tests.simulation.operators import SlowStore, operate
from tests.simulation.overlaps import Overlaps
from tests.simulation.pauses import pause_at_random
from tests.simulation.some_entry import some_entry
from tests.simulation.stale_reads import lag
from tests.simulation.verdict import verdict
from tests.simulation.versions import NEWER, some_old_hosts, upgrade
from tests.simulation.workers import Mischief, Workers
from tests.simulation.world import Host, Process, Violation, World

LOOK_S, SAME_LOOKS = 0.5, 4  # until a leader counts as the one that stays


@dataclass(frozen=True)
class Length:
    """Seconds from the start, and how often anything breaks or is edited on the way."""

    storm: float  # until nothing breaks any more
    settles: float  # at most, after the storm: until one daemon leads
    calms: tuple[float, ...]  # after that: at one of these the verdict has to hold
    haste: float  # 1: a fault or an edit now and then

    @classmethod
    def of(cls, seed: int, *, overlap: bool) -> "Length":
        """Short and hasty, but for a few that last long enough for what is slow to show."""
        if seed % 128 in (6, 7):
            # A run that no worker names any more takes most of the calm.
            return cls(60.0, 14.0, (60.0 if overlap else 11.0,), 1.0)
        if overlap:
            return cls(10.0, 6.0, (5.0, 10.0, 16.0), 4.0)
        return cls(8.0, 6.0, (2.0, 5.0, 9.0), 4.0)


@dataclass(frozen=True)
class Scenario:
    seen: Counter[str]
    passed: Counter[tuple[str, bool]]
    arrived: int
    busiest: int
    trace: list[str]


def some_workers(dice: random.Random, course: Course) -> Callable[[World, Overlaps], Workers]:
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

    if not course.has_mischief:
        mischief = Mischief()
    return lambda world, overlaps: Workers(world, overlaps, dice, mischief)


def play(
    seed: int,
    *,
    overlap: bool = False,
    bias: Bias = NONE,
    trace: list[str] | None = None,
    course: Course | None = None,
) -> Scenario:
    """Play the scenario of this seed; raise Violation when a promise breaks.

    With `overlap`, most entries do not allow overlap, and workers run what arrives. `bias` takes
    the place of some of what the seed decides. `trace` receives what happens, also of a scenario
    that breaks. `course` writes down what the seed decides, or plays it again.
    """
    course = course or Plain()
    overlap = overlap or bias.overlap
    bias = replace(bias, overlap=overlap).with_extras(seed)
    dice = random.Random(seed)
    hours = random.Random(f"clocks of {seed}")
    length = Length.of(seed, overlap=overlap)
    storm, haste = course.storm_s(length.storm), length.haste
    faults = RandomFaults(dice, hours, haste)
    for kind, rate in bias.rates.items():
        (faults.rates if kind in faults.rates else faults.messages)[kind] = rate
    faults.far = faults.far if bias.far is None else bias.far
    faults.any_rate = sum(faults.rates.values())
    one_redis = seed % 4 == 3 if bias.one_redis is None else bias.one_redis
    has_clock = one_redis or dice.random() < 0.6
    has_clock = has_clock if bias.has_clock is None else bias.has_clock
    restarts = course.dice(dice, "power")
    deployment = Deployment(
        course.fate(faults),
        tells=dice.random() < 0.6,
        has_clock=has_clock,
        one_by_one=dice.random() < 0.3,
        one_redis=one_redis,
        batch=dice.choice((1000, 1000, 3)) if bias.batch is None else bias.batch,
        restart_after=lambda: restarts.choice((0.2, 1.0, 4.0 if haste == 1 else 2.0)),
        workers=some_workers(random.Random(f"workers of {seed}"), course) if overlap else None,
        has_alerts=bool(bias.alerts),
        old_hosts=some_old_hosts(seed) if bias.versions else frozenset(),
    )
    course.attach(deployment)
    world, workers = deployment.world, deployment.workers
    world.trace = world.trace if trace is None else trace
    names = [f"entry {n}" for n in range(2 if overlap else dice.choice((4, 8)))]
    names += [f"alone {n}" for n in range(6)] if overlap else []
    names += [name for name in ("poison 8", "full 9") if dice.random() < 0.3]
    names += ["zoned 1", "zoned 2", "newer 3"] if bias.versions else []
    if "full 9" in names:
        deployment.broker.full.add("full")
    for name in names:
        entry = some_entry(name, dice, bias.schedules)
        if course.has(name):
            editing.add(deployment.truth.store, entry, deployment.now)
    # Dice of its own, so that what people do to files changes nothing else in a scenario.
    scribe, declared = (
        random.Random(f"files {seed}"),
        [f"file {n}" for n in range(5 if haste == 1 else 3)],
    )
    for name in declared:
        entry = some_entry(name, scribe)
        if course.has(name):
            deployment.files.put(name, entry)
    skewed = dice.random() < 0.5
    for n in range(dice.choice((2, 2, 3) if haste == 1 else (2, 2, 2, 3))):
        skew = dice.uniform(-2, 2) if skewed else 0.0
        boot, gains = dice.randint(0, 10**6), hours.uniform(-MAX_DRIFT, MAX_DRIFT) * 0.99
        if course.has("abc"[n]):
            host = Host("abc"[n], skew=skew, boot=boot, gains=gains)
            host.is_old = host.name in deployment.truth.versions.old_hosts
            deployment.start(host)
    if workers is not None:
        for _ in range(2):
            workers.start()
        world.spawn(Process("night", Host("cellar")), workers.die_at_random)
    people = course.dice(dice, "operator")
    operator = Process("operator", Host("office"))
    world.spawn(operator, lambda: operate(deployment, names, people, storm + 2, haste, bias))
    editor, hand = Process("editor", Host("office")), course.dice(scribe, "editor")
    world.spawn(editor, lambda: edit(deployment, declared[1:], some_entry, hand, storm + 2, haste))
    resting = random.Random(f"pauses of {seed}")
    if resting.random() < 0.4:
        rests = course.dice(resting, "pauser")
        slow, pauser = SlowStore(deployment, rests), Process("pauser", Host("office"))
        until = storm + (10 if haste == 1 else 3)
        world.spawn(pauser, lambda: pause_at_random(deployment, slow, names, rests, until, haste))
    nature = Process("nature", Host("sky"))
    weather, sun = course.dice(dice, "nature"), course.dice(hours, "clock")
    world.spawn(nature, lambda: break_servers(deployment, faults, weather, haste, bias.nature))
    if bias.batches:
        hands = course.dice(hours, "batches")
        world.spawn(nature, lambda: edit_several(deployment, names, hands, storm, haste))
    if bias.stale:
        copies = course.dice(hours, "reads")
        world.spawn(nature, lambda: lag(deployment, faults, copies, haste))
    if bias.losses:
        ruin = course.dice(hours, "losses")
        world.spawn(nature, lambda: lose(deployment, faults, ruin, haste))
    if bias.versions:
        deploys = course.dice(random.Random(f"upgrade of {seed}"), "upgrade")
        world.spawn(nature, lambda: upgrade(deployment, deploys, storm, haste))
    if has_clock:
        world.spawn(nature, lambda: set_clock(deployment, faults, sun, haste, bias.clock))
    deployment.truth.versions.begin()
    try:
        world.run(storm)
        calm(deployment, faults)
        settle(deployment, storm + length.settles)
        calm_since = deployment.truth.calm_since = world.elapsed()
        deployment.truth.calm = True
        stuck = {"full 9"} if "full" in deployment.broker.full else ()
        for calms in length.calms:
            world.run(calm_since + calms)
            try:
                (leader,) = deployment.leaders()
                verdict(
                    deployment.truth,
                    leader.daemon.now(),
                    frozenset(stuck),
                    leader_is_old=leader.is_old,
                )
                if bias.alerts:
                    # So says a standby that can read more than its leader, or is an hour ahead.
                    silent = leader.is_old or not has_clock
                    lasting = {"nobody leads"} if silent else set()
                    lasting |= {"broker away"} if stuck else set()
                    deployment.truth.notices.look_for_untold(
                        deployment.truth.store,
                        leader.daemon,
                        lasting,
                        unread=NEWER if leader.is_old else "",
                    )
                break
            except Violation:
                if calms == length.calms[-1]:
                    raise
    finally:
        world.end()
        deployment.truth.versions.end()
    most = max(pace.most for pace in deployment.paces)
    return Scenario(world.seen, world.passed, len(deployment.truth.arrived), most, world.trace)


def settle(deployment: Deployment, until: float) -> None:
    """Let the world go on until one daemon has led for some time, or raise Violation."""
    world, led, looks = deployment.world, None, 0
    world.run(world.elapsed() + LOOK_S)
    while looks < SAME_LOOKS:
        if world.elapsed() >= until:
            raise Violation(f"L1 {len(deployment.leaders())} leaders, and all is well")
        leaders = deployment.leaders()
        looks = looks + 1 if leaders == led and len(leaders) == 1 else 0
        led = leaders
        world.run(world.elapsed() + LOOK_S)


def calm(deployment: Deployment, faults: RandomFaults) -> None:
    faults.storm, faults.store_up, deployment.broker.up = False, True, True
    deployment.world.storm_is_over.set()
    if deployment.workers is not None:
        deployment.workers.mischief = Mischief()
    for process in deployment.processes:
        deployment.world.thaw(process)
