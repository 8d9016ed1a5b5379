"""A store whose reads are stale: they are answered from a copy that lags, and writes are not."""

from typing import Any

from beatd.stores.embedded.memory import MemoryStore
from tests.simulation.dice import Dice
from tests.simulation.losses import copy_of

STALE = {"find", "existing", "upcoming", "requests", "unknowns", "version"}


class StaleCopy(MemoryStore):
    """What a replica of the store knew when it last heard of the store."""

    def __init__(self, store: Any) -> None:
        super().__init__(codec=store._codec, clock=store._clock)
        self._tables, self._reader = copy_of(store._tables), store.new_reader()


def read(store: Any, name: str, *args: Any, **more: Any) -> Any:
    """Return what the store answers, or the copy that answers for it."""
    return getattr(store if store.stale is None else store.stale, name)(*args, **more)


def lag(deployment: Any, faults: Any, dice: Dice, haste: float) -> None:
    """Let reads be answered from a copy, now and then, until the storm ends."""
    world, truth = deployment.world, deployment.truth
    while True:
        dice.wait(world, 0.5 / haste, 6.0 / haste)
        if not faults.storm:
            return
        begins, lag_s = world.elapsed(), dice.choice((0.05, 0.5, 2.0))
        world.trace.append(f"{begins:10.6f} nature: stale")
        while faults.storm and world.elapsed() < begins + 3.0:
            truth.store.stale = StaleCopy(truth.store)
            world.seen["reads were stale"] += 1
            world.sleep(lag_s)
        truth.store.stale = None
        truth.store.stale_until = world.elapsed()
