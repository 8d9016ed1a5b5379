"""What lives have for certain, where dice would decide: a rare case comes in most of them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.simulation.incidents import ALERT
from tests.simulation.operators import WISHES
from tests.simulation.some_entry import SCHEDULES

GROUPS = tuple({**plain, "task": "group"} for plain in SCHEDULES[:5])

#: The broker takes a part of many groups, and the daemon that sent the part lives to send the rest.
GROUPS_ARE_CUT = {"unsent": 0.15, "rejected": 0.0, "crash": 0.0}

ALERTS_RATE = 0.6


@dataclass(frozen=True)
class Bias:
    """What is None is decided by the dice of the seed."""

    overlap: bool = False  # most entries do not allow overlap, and there are workers
    rates: Mapping[str, float] = field(default_factory=dict)  # of faults
    schedules: Sequence[Mapping[str, Any]] = SCHEDULES
    wishes: Sequence[str] = WISHES  # of the operators
    edits_every_s: float | None = None  # at most
    nature: Sequence[str] | None = None  # kinds of what breaks servers
    clock: Sequence[str] | None = None  # kinds of what befalls the store's clock
    far: float | None = None  # at most so many seconds a question for the time takes beside
    losses: bool | None = None  # the store loses what it acknowledged
    stale: bool | None = None  # reads of the store lag
    alerts: bool | None = None  # daemons judge entries and tell people; only where workers are
    versions: bool | None = None  # the daemons of some hosts are older
    batches: bool | None = None  # operators edit several entries at once
    one_redis: bool | None = None
    has_clock: bool | None = None
    batch: int | None = None

    def with_extras(self, seed: int) -> "Bias":
        """Some lives have what is rare in the world, by dice of its own."""
        dice = random.Random(f"extras of {seed}")
        rates = (0.1, 0.1, 0.2, 0.1, 1 / 12)
        losses, stale, batches, groups, versions = (dice.random() < rate for rate in rates)
        extras = {"losses": losses, "stale": stale, "batches": batches, "versions": versions}
        given: dict[str, Any] = {
            name: value for name, value in extras.items() if getattr(self, name) is None
        }
        if self.overlap and self._alerts(dice, given):
            given["schedules"] = tuple({**plain, "alert": ALERT} for plain in self.schedules)
            return replace(self, **given)
        if groups and self.schedules is SCHEDULES:
            given["schedules"] = (*SCHEDULES, *GROUPS)
            if dice.random() < 0.5 and not self.rates:
                given |= {"schedules": GROUPS, "rates": GROUPS_ARE_CUT}
        return replace(self, **given)

    def _alerts(self, dice: random.Random, given: dict[str, Any]) -> bool:
        drawn = dice.random() < ALERTS_RATE
        given["alerts"] = drawn if self.alerts is None else self.alerts
        return bool(given["alerts"])


NONE = Bias()
