"""Convert a row of django-celery-beat, or of a similar scheduler, to a FoundEntry.

A FoundEntry is a task before it is checked. This module does not read a database.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from beatd.errors import ConfigError
from beatd.imports.celery_terms import Terms, aware, crontab, entry_found, every, solar
from beatd.imports.found_entry import FoundEntry
from beatd.imports.json_text import decoded

#: A column that is not null where the schedule of that kind is set; the first one set counts.
SCHEDULES = {
    "interval": "interval_every",
    "crontab": "crontab_minute",
    "solar": "solar_event",
    "clocked": "clocked_time",
}
PERIODS = ("days", "hours", "minutes", "seconds", "microseconds")


class NoText(str):
    """The text of a database column that is not valid UTF-8; invalid bytes are written as
    escapes."""


def text_of(column: bytes) -> str:
    """Decode a text column of SQLite; return a NoText if the bytes are not UTF-8.

    Only its row is refused then. SQLite's driver would fail for the whole query.
    """
    try:
        return column.decode()
    except UnicodeDecodeError:
        return NoText(column.decode(errors="backslashreplace"))


def row_found(row: Mapping[str, Any], *, timezone: str, carry: bool = True) -> FoundEntry:
    """Convert a row of another scheduler's task table to a FoundEntry, a task before it is checked.

    The row has the columns of the task and of its schedule: see `task_rows`. `timezone` is for a
    row without one. `carry` keeps the last run and the number of runs. Raises ConfigError if
    django-celery-beat cannot run the row either.
    """
    if broken := [key for key, value in row.items() if isinstance(value, NoText)]:
        raise ConfigError(f"{', '.join(broken)}: not UTF-8")
    terms, tz = _terms(row, timezone)
    last = moment_of_row(row["last_run_at"])
    start = moment_of_row(row.get("start_time"))
    options: dict[str, Any] = {
        key: row.get(key) for key in ("queue", "exchange", "routing_key", "priority")
    }
    options = {key: value for key, value in options.items() if value not in (None, "")}
    headers = _json(row.get("headers") or "{}", "headers", dict)
    if headers:
        options["headers"] = headers
    expires, notes = moment_of_row(row.get("expires")), list(terms.notes)
    # As PeriodicTask.expires_ has it: the moment wins, and 0 seconds are none.
    if expires is not None:
        options["expires"] = expires
    elif row.get("expire_seconds"):
        options["expires"] = row["expire_seconds"]
    if several := several_schedules(row):
        notes.append(several)
    if row.get("one_off") and "at" not in terms.plain:
        notes.append("runs once")
    return entry_found(
        name=str(row["name"]),
        task=row["task"],
        terms=Terms(terms.plain),
        args=_json(row.get("args") or "[]", "args", list),
        kwargs=_json(row.get("kwargs") or "{}", "kwargs", dict),
        options=options,
        last=last if carry else None,
        runs=int(row["total_run_count"] or 0) if carry else 0,
        notes=tuple(notes),
        tz=tz,
        enabled=None if row["enabled"] else False,
        start=None if start is None else start.isoformat(),
        end=None if expires is None else expires.isoformat(),
        description=row.get("description") or None,
    )


def several_schedules(row: Mapping[str, Any]) -> str:
    """Return a warning if a row of a task has several schedules, or "" if it has one.

    The warning names the one that counts: the first, as in django-celery-beat's scheduler.
    """
    kinds = [kind for kind, column in SCHEDULES.items() if row.get(column) is not None]
    if len(kinds) < 2:
        return ""
    return f"{' and '.join(kinds)} are set; the {kinds[0]} counts, as in celery; leave one"


def _terms(row: Mapping[str, Any], timezone: str) -> tuple[Terms, str]:
    if row.get("interval_every") is not None:
        period = str(row["interval_period"])
        if period not in PERIODS:
            raise ConfigError(f"its interval is in {period!r}; {', '.join(PERIODS)} are known")
        return every(timedelta(**{period: int(row["interval_every"])})), timezone
    if row.get("crontab_minute") is not None:
        fields = {key: row[f"crontab_{key}"] for key in CRONTAB_COLUMNS}
        # django-celery-beat lets blanks stand between the parts.
        spaced = {key: str(value).replace(" ", "") for key, value in fields.items()}
        return crontab(spaced), str(row.get("crontab_timezone") or timezone)
    if row.get("solar_event") is not None:
        terms = solar(row["solar_event"], row["solar_latitude"], row["solar_longitude"])
        return terms, timezone
    if row.get("clocked_time") is not None:
        moment = moment_of_row(row["clocked_time"])
        assert moment is not None, "the column is not null"
        start = moment_of_row(row.get("start_time"))
        if start is not None:
            moment = max(moment, start)  # what came due before its start runs then
        return Terms({"at": moment.isoformat()}), timezone
    raise ConfigError("it has no schedule: interval, crontab, solar and clocked are all empty")


CRONTAB_COLUMNS = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")


def moment_of_row(value: Any) -> datetime | None:
    """Return the time in a database column as a datetime in UTC, or None if the column is empty.

    A time without a zone is in UTC. Raises ConfigError or ValueError if the value is no time.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise ConfigError(f"{value!r} is not a moment")
    return aware(value) or datetime.now(UTC)


def _json(text: Any, what: str, kind: type) -> Any:
    if isinstance(text, dict | list):
        value: Any = text
    else:
        value = decoded(str(text).encode(), f"{what} are")
    if not isinstance(value, kind):
        raise ConfigError(f"its {what} are JSON of another kind: {str(text)[:60]!r}")
    return value
