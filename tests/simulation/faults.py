"""Faults: of calls, messages, servers and clocks."""

import random
from collections.abc import Sequence
from datetime import timedelta

from beatd.run import Run
from tests.simulation.deployment import Deployment
from tests.simulation.dice import Dice
from tests.simulation.world import Process, World

HOT = {
    *("store.claim", "store.record", "store.step", "publish", "message"),
    *("alert", "store.put_incidents", "store.open_incidents"),  # few of them in a life
}
LENGTHS_S = (0.3, 1.0, 1.9, 2.5, 6.0, 12.0)  # of a freeze, and of a slow call
SHORT_S = 7.0
PAUSES_S = (0.0001, 0.0005, 0.002, 0.01)
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

    def __init__(self, dice: random.Random, hours: random.Random, haste: float = 1.0) -> None:
        self.dice, self.hours = dice, hours
        # None in a short scenario takes longer than what is left of it to settle.
        self.lengths = tuple(s for s in LENGTHS_S if haste == 1 or s < SHORT_S)
        self.far = hours.choice((0.0, 0.01, 0.1))
        self.storm = True
        self.rates = {
            kind: dice.choice((0.0, 0.3, 1.0)) * rate * haste
            for kind, rate in (
                ("crash", 0.004 if haste == 1 else 0.015),
                ("freeze", 0.004 if haste == 1 else 0.008),
                ("slow", 0.01),
                ("error", 0.03),
                ("lost", 0.03),
            )
        }
        self.any_rate = sum(self.rates.values())
        self.messages = {
            kind: dice.choice((0.0, 0.0, 0.05))
            for kind in ("unsent", "rejected", "unknown, lost", "unknown, arrived")
        }
        self.store_up = True

    def strikes(self, process: Process, place: str, answered: bool) -> str:
        if not self.storm:
            return ""
        if self.is_away(place, answered):
            return "error"
        chance = self.dice.random() / (1.0 if place in HOT else 0.5 if place in WARM else 0.1)
        if chance >= self.any_rate:
            return ""
        for kind, rate in self.rates.items():
            if chance < rate:
                if kind in ("freeze", "slow"):
                    return f"{kind} {self.dice.choice(self.lengths):g}"
                return kind if answered == (kind == "lost") or kind == "crash" else ""
            chance -= rate
        return ""

    def is_away(self, place: str, answered: bool) -> bool:
        """True if the server that is called does not answer anybody."""
        return not self.store_up and not answered and place.startswith(("store", "lease"))

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
        return PAUSES_S[int(self.dice.random() * 4)]

    def detour(self) -> float:
        return self.hours.uniform(0, self.far) if self.far and self.hours.random() < 0.3 else 0.0


def break_servers(
    deployment: Deployment,
    faults: RandomFaults,
    dice: Dice,
    haste: float,
    certain: Sequence[str] | None,
) -> None:
    """Break servers and clocks at random until the storm ends."""
    world: World = deployment.world
    kinds = ("broker", "store", "wipe", "step", "freeze", "crash", "stop", "full")
    wanted = [kind for kind in kinds if dice.random() < 0.4]
    wanted = wanted if certain is None else list(certain)
    while wanted and faults.storm:
        dice.wait(world, 1.0 / haste, 12.0 / haste)
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


def set_clock(
    deployment: Deployment,
    faults: RandomFaults,
    hours: Dice,
    haste: float,
    certain: Sequence[str] | None,
) -> None:
    """Set the store's clock at random until the storm ends."""
    world, clock = deployment.world, deployment.store_clock
    kinds = ("clock", "fail-over", "clock, far")
    wanted = [kind for kind in kinds if hours.random() < 0.2]
    wanted = wanted if certain is None else list(certain)
    while wanted and faults.storm:
        hours.wait(world, 1.0 / haste, 12.0 / haste)
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
