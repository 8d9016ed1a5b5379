"""Steps of alerts: incidents open, change and close, each only once."""

import random
from typing import Any

from msgspec.structs import replace

from beatd.incident import Incident, IncidentKind
from tests.stores.making import at
from tests.stores.model.side import NAMES, Side

KINDS: tuple[IncidentKind, ...] = ("failed", "late", "broker away")


def put_incidents(side: Side, dice: random.Random) -> Any:
    known = list(side.store.incidents(None, None))
    return side.store.put_incidents(
        [_incident(side, known, dice) for _ in range(dice.randint(1, 3))]
    )


def _incident(side: Side, known: list[Incident], dice: random.Random) -> Incident:
    if not known or dice.random() < 0.5:
        kind = dice.choice(KINDS)
        name = "" if kind == "broker away" else dice.choice(NAMES)
        return Incident(
            kind=kind,
            name=name,
            opened=side.moment(dice, -2, 2),
            revision=dice.choice((1, 1, 1, 2)),
            cause="raised",
            observed="3 failures, 'ä' 🐝",
            trace=dice.choice(("", "0af7")),
        )
    there = dice.choice(sorted(known, key=lambda one: (one.opened, one.kind, one.name))[-5:])
    there = replace(there, revision=there.revision + dice.choice((0, 1, 1, 1, 2)))
    changes: dict[str, Any] = dice.choice(
        (
            {"announced": at(side.now), "leased_until": None},
            {"leased_until": at(side.now + 10), "flaps": 2},
            {"closed": at(side.now)},
            {"closed": at(side.now), "resolved": at(side.now)},
            {"resolved": at(side.now)},
            {"closed": None, "resolved": None},
        )
    )
    return replace(there, **changes)


def forget_incidents(side: Side, dice: random.Random) -> Any:
    return side.store.forget_incidents(at(side.now - dice.choice((0, 30, 300))))
