"""Steps of operators and files: write, pause, replace and remove entries."""

import random
from typing import Any

from msgspec.structs import replace

from beatd.catalog import Change, Progress
from beatd.changes import Author, Pause
from beatd.run import Skip
from tests.stores.changing import ANN, BOB, pause_of
from tests.stores.making import at, edit, entry, plan
from tests.stores.model.side import NAMES, Side

OVERLAPS = ("allow", "allow", "skip", "queue", "replace")
SOURCES = ("cli", "yaml:a", "yaml:b")


def edit_entry(side: Side, dice: random.Random) -> Any:
    name = dice.choice(NAMES)
    fields: dict[str, Any] = {
        "task": f"proj.{dice.randint(0, 99)}",
        "enabled": dice.random() < 0.9,
        "overlap": dice.choice(OVERLAPS),
        "source": dice.choice(SOURCES),
    }
    if fields["overlap"] != "allow":
        fields["max_run"] = "60s"
    if dice.random() < 0.3:
        fields["max_runs"] = dice.randint(1, 50)
    made = entry(name, **fields)
    there, given = side.row(name), plan(side.moment(dice, -9, 9), dice.choice("xyz"))
    is_known = there is not None and dice.random() < 0.9
    more: dict[str, Any] = {
        "progress": there.progress if there and is_known else Progress(),
        "author": author(dice),
        "pause": pause(side, dice),
        "paused": dice.random() < 0.2,
        "runs": dice.randint(0, 3),
        "last": at(dice.randint(0, 9)),
        "calls_off": dice.random() < 0.1,
    }
    if dice.random() < 0.2 and there and there.plan.planned:
        first = there.plan.planned
        more["skip"] = Skip(first, first, 1, "edited")
    if dice.random() < 0.1:
        past = side.moment(dice, -30, -20)
        more["missed"] = Skip(past, past, 1, "missed")
    seen = (there.revision if there else 0) + (dice.random() < 0.1)
    return write(side, [Change(name, seen, made, given if dice.random() < 0.7 else None, **more)])


def pause_entry(side: Side, dice: random.Random) -> Any:
    found, paused = side.some_row(dice), dice.random() < 0.7
    if found is None:
        return None
    given = pause(side, dice) if paused else None
    following = None if paused or dice.random() < 0.5 else plan(side.moment(dice, 1, 9))
    more: dict[str, Any] = {"paused": paused, "author": author(dice), "pause": given}
    return write(side, [edit(found, found.entry, following, **more)])


def replace_entry(side: Side, dice: random.Random) -> Any:
    """Remove an entry and add one of its name in the same call."""
    found = side.some_row(dice)
    if found is None:
        return None
    name, who = found.entry.name, author(dice)
    made = replace(entry(task="proj.again"), name=name)
    planned, paused = plan(side.moment(dice, 1, 9), "y"), dice.random() < 0.3
    removal = Change(name, found.revision, None, author=who)
    return write(side, [removal, Change(name, 0, made, planned, paused, author=who)])


def remove_entry(side: Side, dice: random.Random) -> Any:
    found = side.some_row(dice)
    if found is None or dice.random() < 0.5:
        return None
    return write(side, [Change(found.entry.name, found.revision, None, author=author(dice))])


def write(side: Side, changes: list[Change]) -> Any:
    """Write, and see whether the store's version changed as well."""
    before = side.store.version()
    done = list(side.store.write(changes))
    return done, side.store.version() != before


def author(dice: random.Random) -> Author | None:
    return dice.choice((None, ANN, BOB))


def pause(side: Side, dice: random.Random) -> Pause | None:
    until = dice.choice((None, side.now + 5, side.now + 500))
    with_note = pause_of(until, "deploy", when=side.now)
    return dice.choice((None, pause_of(until), with_note))
