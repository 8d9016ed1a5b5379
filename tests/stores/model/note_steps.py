"""Steps of short notes, and of the identity that the task ids are computed from."""

import random
from typing import Any
from uuid import UUID

from beatd.marks import AppliedSet, VerifiedSet
from tests.stores.making import at
from tests.stores.model.plan_steps import begin
from tests.stores.model.side import Side

OWNERS = ("yaml:a", "yaml:ä 🐝")


def note(side: Side, dice: random.Random) -> Any:
    marks, owner, when = side.store.marks, dice.choice(OWNERS), at(side.now)
    text = f"{dice.getrandbits(32):x}"
    how = dice.randrange(6)
    if how == 0:
        marks.write_applied(owner, AppliedSet(when, text, whole=dice.random() < 0.5))
        return marks.applied(owner)
    if how == 1:
        verified = VerifiedSet(when, text, "version", dice.randint(0, 9))
        marks.write_verified(owner, verified)
        return marks.is_verified(owner, verified)
    if how == 2:
        marks.write_rules(text, when)
        return marks.rules()
    if how == 3:
        marks.write_monitors(when)
        return marks.has_monitors()
    if how == 4:
        marks.write_requested(text, '{"by": "ann"}', when)
        return marks.requested(text)
    marks.write_arguments(text, "[]", when)
    return marks.arguments(text)


def new_identity(side: Side, dice: random.Random) -> Any:
    """A copied store gets a new identity. Both get one that is the same, to compare task ids."""
    before, fresh = side.store.namespace, side.store.new_identity()
    is_new = fresh != before
    begin(side, f"{dice.getrandbits(64):x}")
    is_told = side.store.namespace == fresh
    side.store.write_identity(identity(dice), None)
    begin(side, f"{dice.getrandbits(64):x}")
    return is_new, is_told, side.store.namespace


def identity(dice: random.Random) -> UUID:
    return UUID(int=dice.getrandbits(128))
