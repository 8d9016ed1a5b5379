"""People who edit entries while everything breaks."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from beatd.catalog import Change
from beatd.changes import Author
from beatd.edits import editing, pausing
from beatd.edits.run_requests import backfill, trigger
from beatd.errors import BeatError
from tests.simulation.deployment import Deployment
from tests.simulation.dice import Dice
from tests.simulation.some_entry import some_entry


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


def operate(
    deployment: Deployment,
    names: list[str],
    dice: Dice,
    until: float,
    haste: float,
    bias: Any,
) -> None:
    """People who edit whatever they please, at the worst of moments."""
    world = deployment.world
    store: Any = SlowStore(deployment, dice)
    pace = dice.choice((2.0, 8.0, 100.0)) / haste
    pace = bias.edits_every_s or pace
    while True:
        dice.wait(world, 0.0, pace, until=until, at_most=until - world.elapsed())
        if world.elapsed() >= until:
            break
        name, now = dice.choice(names), deployment.now()
        what = dice.choice(bias.wishes)
        try:
            if what == "remove":
                editing.remove(store, [name])
            elif what == "add":
                editing.add(store, some_entry(name, dice, bias.schedules), deployment.now)
            elif what == "args":
                args = (dice.randint(0, 9),)
                editing.patch(
                    store, name, lambda entry, a=args: replace(entry, args=a), deployment.now
                )
            elif what == "when":
                editing.put(store, some_entry(name, dice, bias.schedules), deployment.now)
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
