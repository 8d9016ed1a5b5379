"""Steps that delete old history, and that copy history from another store."""

import random
from typing import Any

from beatd.history import Record
from beatd.marks import Mark
from beatd.store import WrittenRecord
from tests.stores.making import at
from tests.stores.model.side import NAMES, Side

NOTES = ("copy", "copy 2")
LATER = 1_000_000  # seconds after noon; every history ends before


def forget(side: Side, dice: random.Random) -> Any:
    keep = dice.choice((0, 1000, 1000))  # which of equally old ones goes is open
    before = at(side.now - dice.choice((30, 300)))
    if any(one.at > at(LATER) for one in side.store.records("")):
        # `write` records skips by the clock of the store, which is far ahead of this noon. The
        # store in memory does not look for old records behind new ones.
        before = at(0)
    side.forgotten = max(side.forgotten, before)
    return side.store.forget(before, keep)


def forget_changes(side: Side, dice: random.Random) -> Any:
    return side.store.forget_changes(at(-1_000_000_000), dice.choice((3, 1000)))


def copy_records(side: Side, dice: random.Random) -> Any:
    """Append records if a note is as seen: right, wrong, or from an earlier call."""
    key, when = dice.choice(NOTES), side.moment(dice, -50, -40)
    new = Mark(key, at(side.now), f"{dice.getrandbits(64):x}")
    found = side.store.read_mark(key)
    if found is None:
        side.store.write_mark(new)
        return None
    seen = found if dice.random() < 0.7 else Mark(key, found.at, "another")
    now = at(side.now)
    record = Record(dice.choice(NAMES), when, "published", published=when, late=0.5, task_id="old")
    return side.store.write_records([WrittenRecord("", now, record)], new, seen)
