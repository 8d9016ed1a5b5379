"""Format entries for commands, as rows of a table or as the JSON of `list` and `show`."""

from collections.abc import Container, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from beatd.canvas import what_runs
from beatd.catalog import Stored
from beatd.definition import json_plain_of
from beatd.definition.arguments import tagged
from beatd.entry import Entry
from beatd.outcome import EntryOutcome
from beatd.schedules.moment import format_moment
from beatd.views.outcome_rows import Cell, outcome_cell
from beatd.views.pause_text import pause_json, pause_state
from beatd.views.time_text import distance_text

COLUMNS = ("name", "schedule", "next", "last", "outcome", "runs", "task")
IN_ZONE = frozenset(("cron", "crontab", "rrule"))  # schedules whose times are of a zone
_ALWAYS = ("name", "task", "tz", "args", "kwargs", "options", "enabled")


def json_of(row: Stored) -> dict[str, Any]:
    """Return an entry, its next run, last run and number of runs as a dict for JSON.

    A field with its default value is left out, unless it is in `_ALWAYS`. An entry that runs a
    canvas has the key `chain`, `group` or `chord`, and None as its task.
    """
    entry = row.entry
    schedule = entry.schedule.plain()
    more = {
        key: value
        for key, value in json_plain_of(entry).items()
        if key not in _ALWAYS and key not in schedule
    }
    return {
        "name": entry.name,
        "task": entry.task or None,
        "schedule": schedule,
        "tz": entry.tz,
        "args": tagged(entry.args),
        "kwargs": tagged(entry.kwargs),
        "options": tagged(entry.options),
        "enabled": entry.enabled,
        "paused": row.paused,
        "pause": pause_json(row),
        "next": None if row.plan.due is None else iso_or_none(row.plan.planned),
        "last": iso_or_none(row.last),
        "runs": row.runs,
        "source": entry.source,
        **({"declared_at": entry.declared_at} if entry.declared_at else {}),
        **more,
    }


def iso_or_none(moment: datetime | None) -> str | None:
    """Return the time as ISO 8601 text in UTC, or None if it is None."""
    return None if moment is None else format_moment(moment)


def cells_of(
    rows: Iterable[tuple[Stored, EntryOutcome | None]],
    now: datetime,
    failing: Container[str] = (),
    tz: str = "UTC",
) -> Iterator[list[Cell]]:
    """Yield a table row for each entry, as `beatd list` prints it, with cells in the order of
    COLUMNS.

    `failing` has the names of entries whose newest run could not be published. Ends of pauses are
    in the zone `tz`; a schedule of another zone has its name.
    """
    for row, outcome in rows:
        yield [
            row.entry.name,
            zoned_schedule_text(row.entry, tz),
            next_cell(row, now, tz),
            last_cell(row, now, failed=row.entry.name in failing),
            outcome_cell(row, outcome, now),
            str(row.runs) if row.runs else "",
            what_runs(row.entry),
        ]


def last_cell(row: Stored, now: datetime, *, failed: bool) -> Cell:
    """Return the table cell for the last run, such as "5 s ago", or ("failed 5 s ago", "red")."""
    if row.last is None:
        return ("failed", "red") if failed else ""
    ago = distance_text(row.last - now)
    return (f"failed {ago}", "red") if failed else ago


def next_cell(row: Stored, now: datetime, tz: str = "UTC") -> Cell:
    """Return the table cell for the next run as (text, style), such as ("in 5 min", "green").

    For an entry without a next run, the text is the reason: "paused until 14:00" (in the zone
    `tz`), "disabled" or "finished".
    """
    if not row.entry.enabled:
        return (f"disabled{_missed(row, now)}", "dim")
    if row.paused:
        return (f"{pause_state(row, now, tz)}{_missed(row, now)}", "yellow")
    if row.plan.due is None:
        return ("finished", "dim")
    if row.running is not None and row.running.waits and row.running.until > now:
        return ("waits for the run before", "cyan")
    if row.plan.due < now - timedelta(seconds=1):
        return (f"due {distance_text(row.plan.due - now)}", "red")
    return (distance_text(row.plan.due - now), "green")


def _missed(row: Stored, now: datetime) -> str:
    planned = row.plan.planned
    return (
        "" if planned is None or planned > now else f", first missed {distance_text(planned - now)}"
    )


def schedule_text(plain: dict[str, Any]) -> str:
    """Return a schedule in words, such as "every 30s" or "crontab hour=*/3".

    `plain` is the schedule as in YAML: {"every": "30s"}.
    """
    parts = []
    for key, value in plain.items():
        if value is True:
            parts.append(key)
        elif isinstance(value, dict):
            parts.append(" ".join([key, *(f"{k}={_item(v)}" for k, v in value.items())]))
        else:
            parts.append(f"{key} {value}".replace("\n", " "))
    return ", ".join(parts)


def zoned_schedule_text(entry: Entry, tz: str) -> str:
    """Return the entry's schedule as in YAML, with its zone if times in it are not of the zone
    `tz`."""
    text = schedule_text(plain := entry.schedule.plain())
    return text if entry.tz == tz or IN_ZONE.isdisjoint(plain) else f"{text} {entry.tz}"


def _item(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
