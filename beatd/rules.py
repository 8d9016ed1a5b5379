"""New zone data, or new rules of our own: what lies ahead is reckoned again, once per store."""

from collections.abc import Callable
from datetime import datetime

from beatd.catalog import Applied, Change, EditableCatalog, Query, Stored
from beatd.planning import RULES, first

OWNER = "rules"
BATCH = 500


def begin(catalog: EditableCatalog, now: datetime) -> None:
    """Mark a store without entries, so that nothing has to be looked through later."""
    if catalog.applied(OWNER) is None and catalog.count() == 0:
        catalog.mark_applied(Applied(OWNER, now, RULES))


def outdated(catalog: EditableCatalog) -> bool:
    """Whether the store was last reckoned by older rules; a newer program's plan is left alone."""
    mark = catalog.applied(OWNER)
    return mark is None or mark.digest < RULES


def reckon_again(
    catalog: EditableCatalog,
    now: datetime,
    may_go_on: Callable[[], bool] = lambda: True,
    rest: Callable[[], None] = lambda: None,
) -> int:
    """Re-plan what older rules put into the future, soonest first; how many rows moved.

    It reads every row, so after each few it rests: a beat on the same core must not wait for it.

    What is due already stays: it was promised. A row edited meanwhile was reckoned by its editor.
    """
    moved = 0
    changes: list[Change] = []
    for place, row in enumerate(catalog.find(Query(order="next")), 1):
        if place % BATCH == 0:
            rest()
        if row.plan.due is None or not may_go_on():
            break
        change = _moved(row, now)
        if change is not None:
            changes.append(change)
        if len(changes) == BATCH:
            moved += sum(catalog.write(changes))
            changes = []
    moved += sum(catalog.write(changes)) if changes else 0
    if may_go_on():
        catalog.mark_applied(Applied(OWNER, now, RULES))
    return moved


def _moved(row: Stored, now: datetime) -> Change | None:
    plan = row.plan
    if plan.rules >= RULES or plan.planned is None or plan.due is None or plan.due <= now:
        return None
    fresh = first(row.entry, now, paused=row.paused, runs=row.runs, last=row.last)
    if (fresh.planned, fresh.due) == (plan.planned, plan.due):
        return None
    return Change(row.entry.name, row.revision, row.entry, fresh, row.paused)
