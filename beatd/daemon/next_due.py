"""List the entries that run next, and how overdue they are, for `beatd status`."""

from datetime import datetime
from typing import Any

from beatd.catalog import Catalog, Query
from beatd.schedules.moment import format_moment

SHOWN_MAX = 5
OVERDUE_AFTER_S = 1.0  # a healthy leader needs less


def next_due(catalog: Catalog, now: datetime) -> list[dict[str, Any]]:
    """Return the entries that run next with their due moments, the earliest first.

    "overdue" is the number of seconds since the due moment. It is None if that is ahead, or less
    than OVERDUE_AFTER_S ago.
    """
    return [
        {
            "name": row.entry.name,
            "due": format_moment(row.plan.due),
            "overdue": _overdue_s(row.plan.due, now),
        }
        for row in catalog.find(Query(order="next", limit=SHOWN_MAX))
        if row.plan.due is not None
    ]


def _overdue_s(due: datetime, now: datetime) -> float | None:
    late_s = (now - due).total_seconds()
    return round(late_s, 3) if late_s >= OVERDUE_AFTER_S else None
