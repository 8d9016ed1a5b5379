"""Operators who change several entries at once: what is refused in a batch is tried again."""

from collections.abc import Sequence
from typing import Any

from beatd.catalog import Change
from beatd.changes import Author
from beatd.edits import editing, pausing
from beatd.errors import BeatError
from tests.simulation.dice import Dice
from tests.simulation.operators import SlowStore
from tests.simulation.world import Violation

ANN = Author("ann")


class Noted(SlowStore):
    """A store that remembers what it has changed."""

    def __init__(self, deployment: Any, dice: Dice) -> None:
        super().__init__(deployment, dice)
        self._seen = deployment.world.seen
        self.changed: set[str] = set()
        self.paused: dict[str, bool] = {}  # as it was when the entries were read last

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        done = super().write(changes)
        pairs = zip(changes, done, strict=True)
        self.changed |= {change.name for change, ok in pairs if ok}
        self.read([change.name for change, ok in zip(changes, done, strict=True) if not ok])
        if len(set(done)) > 1:
            self._seen["a batch of edits was refused in part"] += 1
        return done

    def read(self, names: Sequence[str]) -> None:
        found = editing.rows(self._store, names)
        self.paused = {
            **{name: paused for name, paused in self.paused.items() if name not in names},
            **{name: row.paused for name, row in found.items()},
        }


def edit_several(
    deployment: Any, names: Sequence[str], dice: Dice, until: float, haste: float
) -> None:
    """Pause, resume or remove several entries at once, now and then, until a second before calm."""
    world = deployment.world
    while True:
        dice.wait(world, 0.1, 3.0 / haste, until=until)
        if world.elapsed() >= until:
            return
        store: Any = Noted(deployment, dice)
        first = dice.choice(range(len(names)))
        several = [*names[first:], *names[:first]][:3]
        store.read(several)
        what = dice.choice(("pause", "resume", "remove"))
        try:
            if what == "remove":
                editing.remove(store, several)
            else:
                edit = pausing.pause if what == "pause" else pausing.resume
                edit(store, several, deployment.now, ANN)
        except BeatError:
            continue
        finally:
            deployment.wake_all()
        world.trace.append(f"{world.elapsed():10.6f} operator: {what} {', '.join(several)}")
        world.seen["several entries were edited at once"] += 1
        for name in several:
            paused = store.paused.get(name)
            lacks = paused is not None and (what == "remove" or paused != (what == "pause"))
            if lacks and name not in store.changed:
                raise Violation(f"S12 the answer to {what} was yes, and {name} was not changed")
