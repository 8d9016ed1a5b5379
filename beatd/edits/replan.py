"""New zone data, or new rules of our own: what lies ahead is reckoned again, once per store."""

from collections.abc import Callable, Sequence
from datetime import datetime

from beatd.catalog import Change, EditableCatalog, Query, Stored
from beatd.planning import RULES, first

BATCH = 500


def begin(catalog: EditableCatalog, now: datetime) -> None:
    """Mark a store without entries, so that nothing has to be looked through later."""
    if catalog.marks.rules() is None and _is_empty(catalog):
        catalog.marks.write_rules(RULES, now)


def _is_empty(catalog: EditableCatalog) -> bool:
    # Not by counting: a daemon is not ready before it knows, and a database looks at each.
    return next(iter(catalog.find(Query(limit=1))), None) is None


def outdated(catalog: EditableCatalog) -> bool:
    """Whether the store was last reckoned by older rules; a newer program's plan is left alone."""
    rules = catalog.marks.rules()
    return rules is None or rules < RULES


def reckon_again(
    catalog: EditableCatalog,
    now: Callable[[], datetime],
    may_go_on: Callable[[], bool] = lambda: True,
    rest: Callable[[], None] = lambda: None,
) -> int:
    """Re-plan what older rules put into the future, soonest first; how many rows moved.

    There may be a million: after each few it rests, so that a beat on the same core need not wait.

    What is due already stays: it was promised. A row edited or claimed meanwhile was reckoned by
    who did so.
    """
    moved = 0
    read: list[Stored] = []
    for place, row in enumerate(catalog.find(Query(rules_before=RULES, order="next")), 1):
        if place % BATCH == 0:
            rest()
        if row.plan.due is None or not may_go_on():
            break
        read.append(row)
        if len(read) == BATCH:
            moved += _move(catalog, read, now())
            read = []
    moved += _move(catalog, read, now())
    if may_go_on():
        catalog.marks.write_rules(RULES, now())
    return moved


def _move(catalog: EditableCatalog, read: Sequence[Stored], now: datetime) -> int:
    changes = [change for row in read if (change := _moved(row, now)) is not None]
    return sum(catalog.write(changes)) if changes else 0


def _moved(row: Stored, now: datetime) -> Change | None:
    plan = row.plan
    if plan.rules >= RULES or plan.planned is None or plan.due is None or plan.due <= now:
        return None
    fresh = first(row.entry, now, paused=row.paused, runs=row.runs, last=row.last)
    if (fresh.planned, fresh.due) == (plan.planned, plan.due):
        return None
    name, entry = row.entry.name, row.entry
    return Change(name, row.revision, entry, fresh, row.paused, progress=row.progress)
