"""Compute planned runs again after new time zone data or a new version of the planning code.

`RULES` is the version of both. Each next run and the store record the version that they follow, so
that the work is done once per store.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from beatd.catalog import Change, EditableCatalog, Query, Stored
from beatd.planning import RULES, first

ROWS_PER_BATCH = 500


def mark_if_empty(catalog: EditableCatalog, now: datetime) -> None:
    """Record in an empty store that its runs follow the present planning rules.

    A store with entries, or with a recorded version of the planning rules, is not changed.
    """
    if catalog.marks.rules() is None and _is_empty(catalog):
        catalog.marks.write_rules(RULES, now)


def _is_empty(catalog: EditableCatalog) -> bool:
    # A count would read every row of a database, and the daemon is not ready before this returns.
    return next(iter(catalog.find(Query(limit=1))), None) is None


def needs_replan(catalog: EditableCatalog) -> bool:
    """Return True if older or unknown planning rules computed the planned runs in the store.

    The rules are the version of the planning code and of time zone data.
    """
    rules = catalog.marks.rules()
    return rules is None or rules < RULES


def note_older_rules(catalog: EditableCatalog, now: datetime) -> bool:
    """Record that from now on older planning rules compute planned runs, if newer ones did so far.

    An older program calls this when it leads. Then a newer one computes its planned runs again.
    Return True if that was recorded.
    """
    rules = catalog.marks.rules()
    if rules is None or rules <= RULES:
        return False
    catalog.marks.write_rules(RULES, now)
    return True


def replan(
    catalog: EditableCatalog,
    now: Callable[[], datetime],
    may_go_on: Callable[[], bool] = lambda: True,
    rest: Callable[[], None] = lambda: None,
) -> int:
    """Compute future runs planned by older rules again, and return how many of them changed.

    The rules are the version of the planning code and of time zone data. The soonest runs come
    first. An entry that is edited or published meanwhile is left out, as it got a new run by that.
    `rest` is called after each batch, so that other work can run. If `may_go_on` returns False, the
    function stops early and does not record the new rules in the store.
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
    # A past moment stays: its run is due, or waits for its jitter or for the end of another run.
    plan = row.plan
    if plan.rules >= RULES or plan.planned is None or plan.due is None or plan.planned <= now:
        return None
    fresh = first(row.entry, now, paused=row.paused, runs=row.runs, last=row.last)
    if (fresh.planned, fresh.due) == (plan.planned, plan.due):
        return None
    name, entry = row.entry.name, row.entry
    return Change(name, row.revision, entry, fresh, row.paused, progress=row.progress)
