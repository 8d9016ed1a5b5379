"""Steps of daemons that describe themselves, leave, or are not heard of any more."""

import random
from typing import Any

from beatd.leader import Holder
from beatd.presence import Presence
from tests.stores.making import NOON, at
from tests.stores.model.side import Side
from tests.waiting import until

DAEMONS = ("one", "two", "bée 🐝")
LONG_S, SHORT_S = 600.0, 0.002
PATIENCE_S = 5.0


def announce(side: Side, dice: random.Random) -> Any:
    side.store.announce(_presence(side, dice), LONG_S)


def leave(side: Side, dice: random.Random) -> Any:
    side.store.leave(_holder(dice))


def fall_silent(side: Side, dice: random.Random) -> Any:
    """A daemon announces itself for the last time, and its ttl ends."""
    last = _presence(side, dice)
    side.store.announce(last, SHORT_S)
    token = last.holder.token
    until(
        lambda: all(one.holder.token != token for one in side.store.daemons()),
        PATIENCE_S,
        "a daemon is still there after its ttl",
    )


def _presence(side: Side, dice: random.Random) -> Presence:
    return Presence(
        _holder(dice),
        dice.choice(("leader", "standby")),
        dice.random() < 0.5,
        at(side.now),
        clock_offset=dice.choice((0.0, -0.25)),
        stats={"lateness p99": dice.random()},
        problems=dice.choice(((), ("invalid source: ä",))),
        needs_reload=dice.choice(((), ("http",))),
    )


def _holder(dice: random.Random) -> Holder:
    name = dice.choice(DAEMONS)
    return Holder(name, "host", 1, NOON, f"token of {name} {dice.randint(1, 2)}")
