"""Compute planned runs again after new time zone data or a new version of the planning code.

`RULES` is the version of both. Each next run and the store record the version that they follow, so
that the work is done once per store.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from beatd.catalog import Change, EditableCatalog, Query, Stored
from beatd.ledger import Requests
from beatd.planning import RULES, first

ROWS_PER_BATCH = 500
BACKLOGS_MAX = 10_000  # requests that are read; a store rarely has more than a few
MORE_TRIES = 3  # with entries that were edited or published while they were planned again
UNKNOWN_RULES = ""  # older than all others


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
    requests: Requests,
    now: Callable[[], datetime],
    may_go_on: Callable[[], bool] = lambda: True,
    rest: Callable[[], None] = lambda: None,
) -> int:
    """Compute future runs planned by older rules again, and return how many of them changed.

    The rules are the version of the planning code and of time zone data. The soonest runs come
    first. An entry that is edited or published meanwhile is read and planned again. `rest` is
    called after each batch, so that other work can run.

    The new rules are recorded in the store only if all entries were planned by them. Otherwise the
    next call does the rest: `may_go_on` returned False, or an entry was edited at each try. If
    `may_go_on` returns False after the record was written, the rules count as unknown.

    Missed runs that are still to be sent stay, and the future ones are planned after them: if the
    clock was set back, one moment would run twice.
    """
    moved, refused = 0, list[str]()
    owed = _ends_of_backlogs(requests)
    read: list[Stored] = []
    for place, row in enumerate(catalog.find(Query(rules_before=RULES, order="next")), 1):
        if place % ROWS_PER_BATCH == 0:
            rest()
        if row.plan.due is None or not may_go_on():
            break
        read.append(row)
        if len(read) == ROWS_PER_BATCH:
            moved += _move(catalog, read, now(), owed, refused)
            read = []
    moved += _move(catalog, read, now(), owed, refused)
    for _ in range(MORE_TRIES):
        names, refused = refused, []
        for place in range(0, len(names), ROWS_PER_BATCH):
            rows = catalog.find(Query(names=tuple(names[place : place + ROWS_PER_BATCH])))
            if may_go_on():
                moved += _move(catalog, list(rows), now(), owed, refused)
    if may_go_on() and not refused:
        catalog.marks.write_rules(RULES, now())
        if not may_go_on():
            # The note may have arrived late: an older leader may have planned runs before it.
            catalog.marks.write_rules(UNKNOWN_RULES, now())
    return moved


def _ends_of_backlogs(requests: Requests) -> dict[str, datetime]:
    ends: dict[str, datetime] = {}
    for request, _ in requests.requests(BACKLOGS_MAX):
        if request.kind == "backlog":
            ends[request.name] = max(request.last, ends.get(request.name, request.last))
    return ends


def _move(
    catalog: EditableCatalog,
    read: Sequence[Stored],
    now: datetime,
    owed: dict[str, datetime],
    refused: list[str],
) -> int:
    after = {row.entry.name: max(now, owed.get(row.entry.name, now)) for row in read}
    changes = [change for row in read if (change := _moved(row, now, after[row.entry.name]))]
    if not changes:
        return 0
    done = catalog.write(changes)
    refused += [change.name for change, ok in zip(changes, done, strict=True) if not ok]
    return sum(done)


def _moved(row: Stored, now: datetime, after: datetime) -> Change | None:
    # A past moment stays: its run is due, or waits for its jitter or for the end of another run.
    plan = row.plan
    if plan.rules >= RULES or plan.planned is None or plan.due is None or plan.planned <= now:
        return None
    fresh = first(row.entry, after, paused=row.paused, runs=row.runs, last=row.last)
    if (fresh.planned, fresh.due) == (plan.planned, plan.due):
        return None
    name, entry = row.entry.name, row.entry
    return Change(name, row.revision, entry, fresh, row.paused, progress=row.progress)
