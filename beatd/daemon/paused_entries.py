"""Count the paused entries, and show the first of them, for the status of the daemons."""

from itertools import islice
from typing import Any

from beatd.catalog import EntryFinder, Query, Stored
from beatd.schedules.moment import format_moment

PAUSED_COUNTED_MAX = 1000
PAUSED_SHOWN_MAX = 5


def paused_entries(catalog: EntryFinder) -> dict[str, Any]:
    """Return the number of paused entries, and the first PAUSED_SHOWN_MAX of them by name.

    "at_least" is True if there may be more than "count".
    """
    found = catalog.find(Query(paused=True, limit=PAUSED_COUNTED_MAX))
    first = [_paused(row) for row in islice(found, PAUSED_SHOWN_MAX)]
    count = len(first) + sum(1 for _ in found)
    return {"count": count, "at_least": count == PAUSED_COUNTED_MAX, "entries": first}


def _paused(row: Stored) -> dict[str, Any]:
    # "at", "by" and "until" are None if the store does not know who paused the entry.
    pause = row.pause
    return {
        "entry": row.entry.name,
        "at": None if pause is None else format_moment(pause.at),
        "by": None if pause is None else pause.by,
        "until": None if pause is None or pause.until is None else format_moment(pause.until),
        "note": "" if pause is None else pause.note,
    }
