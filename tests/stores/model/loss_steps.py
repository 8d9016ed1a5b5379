"""Steps about a store that lost a part of an entry behind its back, and is repaired."""

import random
from typing import Any

from beatd.catalog import Change
from tests.stores.losses import lose
from tests.stores.making import plan
from tests.stores.model.side import NAMES, Side


def lose_part(side: Side, dice: random.Random) -> Any:
    """Lose a part of an entry that is there; see what is found; repair it as a leader does."""
    name, part = dice.choice(NAMES), dice.choice(("definitions", "plans"))
    row = side.row(name)
    if row is None or (row.paused and row.pause is None):
        return None  # in Redis, the plan is all that knows of a pause that nobody explained
    lose(side.store, part, name)
    side.store.drop_cached([name])
    found = side.store.missing_parts(100, whole=True)
    seen = [(one.name, one.entry, one.paused) for one in found]
    changes = [
        Change(one.name, 0, None)
        if one.entry is None
        else Change(one.name, 0, one.entry, plan(side.moment(dice, 1, 9)), one.paused)
        for one in found
    ]
    done = list(side.store.write(changes))
    return seen, done, list(side.store.missing_parts(100, whole=True))
