"""Convert rows of django-celery-beat's task table to beatd's entries."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from beatd.catalog import Stored
from beatd.definition import check
from beatd.definition.arguments import same
from beatd.definition.options import header_warnings
from beatd.entry import Entry
from beatd.errors import ConfigError, in_one_line
from beatd.imports.table_row import moment_of_row, row_found, several_schedules
from beatd.planning import has_run_out
from beatd.run import MICROSECOND


def entry_of(row: Mapping[str, Any], *, timezone: str, source: str) -> Entry:
    """Convert a row of django-celery-beat's task table to an entry.

    `timezone` is for a row without one; `source` becomes the owner of the entry. Raises ConfigError
    for a row that beatd cannot run.
    """
    found = row_found(row, timezone=timezone, carry=False)
    checked = check(
        found.name,
        found.plain,
        timezone=timezone,
        source=source,
        declared_at=f"PeriodicTask {row['id']}",
    )
    if checked.entry is None:
        raise ConfigError(in_one_line(p for p in checked.problems if not p.warning))
    if checked.entry.end is not None:
        # In django-celery-beat nothing runs at `expires` itself.
        return replace(checked.entry, end=checked.entry.end - MICROSECOND)
    return checked.entry


def warning_of(row: Mapping[str, Any], entry: Entry) -> str:
    """Return a warning about mistakes in a row that can run nevertheless, or "" if there are
    none."""
    found = [several] if (several := several_schedules(row)) else []
    for problem in header_warnings(entry.options.get("headers") or {}):
        found.append(str(problem.under("options")))
    return "; ".join(found)


def changed_at_of(row: Mapping[str, Any]) -> datetime | None:
    """Return the time of the last edit of a django-celery-beat row, or None if it is invalid."""
    try:
        return moment_of_row(row["date_changed"])
    except (ConfigError, ValueError):
        return None


def limited(entry: Entry, row: Mapping[str, Any], stored: Stored | None) -> Entry:
    """Return the entry with a limit of one run each time its row in Django is enabled.

    `stored` is the entry in beatd's store, or None. If the row says that it ran already, the
    returned entry is disabled.
    """
    if row["total_run_count"]:
        return replace(entry, enabled=False, max_runs=stored.runs if stored and stored.runs else 1)
    if stored is None:
        return replace(entry, max_runs=1)
    before = stored.entry
    if before.max_runs is None or (entry.enabled and not before.enabled):
        return replace(entry, max_runs=stored.runs + 1)
    if stored.runs >= before.max_runs and entry.enabled and _has_last_run(row, stored):
        # It ran, and was enabled again before a look found it disabled.
        return replace(entry, max_runs=stored.runs + 1)
    return replace(entry, max_runs=before.max_runs)


def _has_last_run(row: Mapping[str, Any], stored: Stored) -> bool:
    last = moment_of_row(row["last_run_at"])
    # True, too, if the entry never ran.
    return stored.last is None or (last is not None and last >= stored.last - timedelta(seconds=1))


def has_ended(entry: Entry | None, before: Stored | None) -> bool:
    """Return True if an entry that runs once differs from `before` only because it ran and was
    disabled.

    `entry` is what Django's row says now, `before` what beatd's store has.
    """
    if entry is None or before is None or not has_run_out(before.entry, before.runs):
        return False
    return same(replace(entry, enabled=True, max_runs=before.entry.max_runs), before.entry)
