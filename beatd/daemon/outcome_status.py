"""Find entries whose newest run failed in a worker or was not received by one, and runs that take
too long."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from beatd.catalog import Catalog, Query
from beatd.daemon.failed_runs import FAILURES
from beatd.daemon.failing_entries import RECORDS_READ
from beatd.edits.stored_names import stored_names
from beatd.history import History
from beatd.last_sent import not_received
from beatd.outcome import RUN_ENDS, EntryOutcome, Outcomes
from beatd.schedules.moment import format_moment

ALL_READ_MAX = 10_000  # entries; with more of them only those that ran of late are looked at
LONG_AFTER = timedelta(hours=1)  # of entries without `max_run`
RUNNING_READ_MAX = 1000
SHOWN_MAX = 10
REASON_MAX_CHARS = 200


def known_outcomes(
    outcomes: Outcomes, history: History, entries: int
) -> Mapping[str, EntryOutcome]:
    """Return the newest outcomes of entries, by entry name.

    With more than 10,000 `entries`, only those of recent history records are included.
    """
    if entries <= ALL_READ_MAX:
        return outcomes.entry_outcomes(None)
    names = {record.name for record in history.history(None, RECORDS_READ)}
    return outcomes.entry_outcomes(sorted(names))


def has_open_runs(known: Mapping[str, EntryOutcome]) -> bool:
    """Return True if a worker reported a run as the newest of its entry, and no end of it."""
    return any(one.newest.state not in RUN_ENDS for one in known.values())


def failing_outcomes(known: Mapping[str, EntryOutcome], catalog: Catalog) -> list[dict[str, Any]]:
    """Return the status of each entry whose newest run failed, expired or was lost, newest first.

    At most SHOWN_MAX entries are returned, and none that was removed from the store.
    """
    failing = [one for one in known.values() if one.newest.state in FAILURES]
    failing.sort(key=lambda one: one.newest.at, reverse=True)
    names = stored_names(catalog, (one.name for one in failing))
    return [
        {
            "entry": one.name,
            "planned": format_moment(one.newest.planned),
            "reason": (one.newest.error or one.newest.state)[:REASON_MAX_CHARS],
            "outcome": one.newest.state,
            "failures": one.failures,
        }
        for one in (known[name] for name in islice(names, SHOWN_MAX))
    ]


def running_long(
    known: Mapping[str, EntryOutcome], outcomes: Outcomes, catalog: Catalog, now: datetime
) -> list[dict[str, Any]]:
    """Return the runs that exceed the `max_run` of their entry, the longest run first.

    Without `max_run`, the limit is one hour. At most SHOWN_MAX runs are returned.
    """
    since = {
        one.name: (one.newest.started or one.newest.at, one.newest.task_id)
        for one in known.values()
        if one.newest.state == "started"
    }
    for name, run in outcomes.running(None).items():
        since.setdefault(name, (run.since, run.task_id))
    oldest = sorted(since, key=lambda name: since[name])[:RUNNING_READ_MAX]
    found = catalog.find(Query(names=tuple(oldest))) if oldest else iter(())
    limits = {row.entry.name: row.entry.max_run or LONG_AFTER for row in found}
    long = (name for name in oldest if name in limits and now - since[name][0] > limits[name])
    return [
        {
            "entry": name,
            "since": format_moment(since[name][0]),
            "task_id": since[name][1],
            "limit": limits[name].total_seconds(),
        }
        for name in islice(long, SHOWN_MAX)
    ]


def not_received_json(
    catalog: Catalog, history: History, outcomes: Outcomes, now: datetime, *, entries: int
) -> dict[str, Any]:
    """Return the number of entries whose newest sent run no worker has received, and the first.

    `entries` is the number of entries in the store. "at_least" is True if there may be more. At
    most SHOWN_MAX entries are in "entries".
    """
    found = not_received(catalog, history, outcomes, now, entries=entries)
    return {
        "count": len(found.entries),
        "at_least": found.at_least,
        "entries": [
            {
                "entry": row.entry.name,
                "task_id": run.task_id,
                "planned": format_moment(run.planned),
                "published": format_moment(run.published),
            }
            for row, run in found.entries[:SHOWN_MAX]
        ],
    }
