"""A history: calls that are made one after another, decided by one number."""

import random
from collections.abc import Sequence

from msgspec import Struct

from tests.stores.model.steps import STEPS, Step

SECONDS_BETWEEN = (1, 5)
FAVOURS = (0, 1, 1, 3)  # a history has more of some steps, and none of others
ALWAYS = frozenset({"edit", "claim_plans", "record"})  # without them nothing happens


class Call(Struct, frozen=True):
    """One call. `seed` decides its arguments, whichever calls are made before it."""

    step: str
    number: int
    now: int  # seconds after noon
    seed: int

    def function(self) -> Step:
        return STEPS[self.step][0]


def history(seed: int, length: int) -> Sequence[Call]:
    """Return `length` calls, always the same for one seed."""
    dice = random.Random(seed)
    weights = [
        weight * (max(1, favour) if step in ALWAYS else favour)
        for step, (_, weight) in STEPS.items()
        for favour in [dice.choice(FAVOURS)]
    ]
    now, calls = 100, list[Call]()
    for number, step in enumerate(dice.choices(list(STEPS), weights, k=length), 1):
        now += dice.randint(*SECONDS_BETWEEN)
        calls.append(Call(step, number, now, dice.getrandbits(32)))
    return calls
