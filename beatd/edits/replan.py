"""Compute planned runs again after new time zone data or a new version of planning.

The rules (`RULES`) are the version of both. Each plan and the store as a whole keep the rules by
which they were planned, so that this is done once per store.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from beatd.catalog import Change, EditableCatalog, Query, Stored
from beatd.planning import RULES, first

ROWS_PER_BATCH = 500


def mark_if_empty(catalog: EditableCatalog, now: datetime) -> None:
    """Record in an empty store that it follows the present rules (the version of planning).

    So no daemon replans it later.
    """
    if catalog.marks.rules() is None and _is_empty(catalog):
        catalog.marks.write_rules(RULES, now)


def _is_empty(catalog: EditableCatalog) -> bool:
    # A count would read every row of a database, and the daemon is not ready before this returns.
    return next(iter(catalog.find(Query(limit=1))), None) is None


def needs_replan(catalog: EditableCatalog) -> bool:
    """True if the store was planned by older rules (versions of planning), or by unknown ones.

    False if the store's rules are those of this program, or newer.
    """
    rules = catalog.marks.rules()
    return rules is None or rules < RULES


def replan(
    catalog: EditableCatalog,
    now: Callable[[], datetime],
    may_go_on: Callable[[], bool] = lambda: True,
    rest: Callable[[], None] = lambda: None,
) -> int:
    """Compute future runs planned by older rules again, and return how many runs moved.

    Rules are the version of planning and of time zone data. The soonest runs come first, and a
    moment that is past already stays. A row that is edited or claimed (moved on to its next run)
    meanwhile is left out, because that planned it anew. `rest` is called after each batch, to let a
    beat on the same core run in between. Stops early, without recording the new rules in the store,
    when `may_go_on` returns False.
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
    """Return the change that gives a row its new moment, or None if the moment stays.

    It stays if it is past already (it is due, or waits for its jitter or for the end of a run), or
    if the present rules lead to the same moment.
    """
    plan = row.plan
    if plan.rules >= RULES or plan.planned is None or plan.due is None or plan.planned <= now:
        return None
    fresh = first(row.entry, now, paused=row.paused, runs=row.runs, last=row.last)
    if (fresh.planned, fresh.due) == (plan.planned, plan.due):
        return None
    name, entry = row.entry.name, row.entry
    return Change(name, row.revision, entry, fresh, row.paused, progress=row.progress)
