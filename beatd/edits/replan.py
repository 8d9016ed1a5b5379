"""Plan future moments again, once per store, after new zone data or a new version of planning.

The rules are the version of both; each plan and the store as a whole remember theirs.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from beatd.catalog import Change, EditableCatalog, Query, Stored
from beatd.planning import RULES, first

ROWS_PER_BATCH = 500


def mark_if_empty(catalog: EditableCatalog, now: datetime) -> None:
    """Record that an empty store follows the present rules, so that no daemon replans it later."""
    if catalog.marks.rules() is None and _is_empty(catalog):
        catalog.marks.write_rules(RULES, now)


def _is_empty(catalog: EditableCatalog) -> bool:
    # A count would read every row of a database, and the daemon is not ready before this returns.
    return next(iter(catalog.find(Query(limit=1))), None) is None


def needs_replan(catalog: EditableCatalog) -> bool:
    """True if the store was planned by older rules than this program's; False for newer ones."""
    rules = catalog.marks.rules()
    return rules is None or rules < RULES


def replan(
    catalog: EditableCatalog,
    now: Callable[[], datetime],
    may_go_on: Callable[[], bool] = lambda: True,
    rest: Callable[[], None] = lambda: None,
) -> int:
    """Plan future moments of older rules again, the soonest first; return how many moments moved.

    A moment that is due already stays. A row that is edited or claimed meanwhile is left out,
    because that planned it anew. `rest` is called after each batch, to let a beat on the same core
    run in between. Stops early, without recording the rules, when `may_go_on` returns False.
    """
    moved = 0
    read: list[Stored] = []
    for place, row in enumerate(catalog.find(Query(rules_before=RULES, order="next")), 1):
        if place % ROWS_PER_BATCH == 0:
            rest()
        if row.plan.due is None or not may_go_on():
            break
        read.append(row)
        if len(read) == ROWS_PER_BATCH:
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
    """Return the change to a new moment; None if the moment stays or is due already."""
    plan = row.plan
    if plan.rules >= RULES or plan.planned is None or plan.due is None or plan.due <= now:
        return None
    fresh = first(row.entry, now, paused=row.paused, runs=row.runs, last=row.last)
    if (fresh.planned, fresh.due) == (plan.planned, plan.due):
        return None
    name, entry = row.entry.name, row.entry
    return Change(name, row.revision, entry, fresh, row.paused, progress=row.progress)
