"""Moves of entries that do not allow overlap, as the engine makes them and worse."""

import random
from datetime import datetime
from typing import Any

from beatd.catalog import Plan, Stored
from beatd.ledger import Move, RunningChange
from beatd.run import Skip
from tests.stores.making import at, step
from tests.stores.model.side import Side


def plan_move(side: Side, row: Stored, after: datetime, dice: random.Random) -> Move:
    """Start, wait, skip, or end the running run; now and then seen wrongly."""
    moment, running = row.plan.planned, row.running
    assert moment is not None
    seen = "" if running is None else running.task_id
    if dice.random() < 0.1:
        seen = dice.choice(("", "another"))
    until = side.moment(dice, 2, 40)
    without_run: dict[str, Any] = {"run": None, "counts": 0}
    how = dice.choice(("start", "start", "over", "wait", "wait", "skip", "pass", "end"))
    if running is None or how == "start":
        return step(side.store, row, after, running=RunningChange(seen, until))
    if how == "over":
        change = RunningChange(seen, until, is_over=True)
        return step(side.store, row, after, running=change)
    if how == "wait":
        waits = Plan(moment, until, row.plan.fingerprint, row.plan.rules)
        change = RunningChange(seen, until)
        revokes = running.task_id if row.entry.overlap == "replace" else ""
        return step(side.store, row, plan=waits, running=change, revokes=revokes, **without_run)
    if how == "skip":
        skip = Skip(moment, at(side.now), 2, f"still running: {seen}")
        change = RunningChange(seen)
        return step(side.store, row, after, running=change, skips=(skip,), **without_run)
    change = RunningChange(seen, is_over=dice.random() < 0.5, ends=how == "end")
    return step(side.store, row, after, running=change, **without_run)
