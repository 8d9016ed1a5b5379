"""Convert Celery's schedules to the form of a YAML entry, without importing celery."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from beatd.errors import ConfigError
from beatd.imports.found_entry import FoundEntry

CRONTAB = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
_MICROSECOND = timedelta(microseconds=1)


class Terms(NamedTuple):
    """A schedule in the form of a YAML entry, such as {"crontab": {"hour": 4}}.

    `notes` are sentences about differences from the original schedule.
    """

    plain: dict[str, Any]
    notes: tuple[str, ...] = ()


def every(length: timedelta, *, relative: bool = False, last: datetime | None = None) -> Terms:
    """Return a schedule that repeats after `length`, such as every 10 minutes.

    If `relative`, the interval starts at the `last` run, rounded down to a whole day, hour, minute
    or second. Raises ConfigError for an interval below a microsecond.
    """
    if length < _MICROSECOND:
        raise ConfigError(f"an interval of {length} runs all the time; give it a length")
    plain: dict[str, Any] = {"every": length}
    if relative and last is not None:
        plain["start"] = _rounded(last, length).astimezone(UTC).isoformat()
    return Terms(plain)


def _rounded(last: datetime, length: timedelta) -> datetime:
    # As celery.utils.time.delta_resolution: the largest unit that fits into the interval.
    if length >= timedelta(days=1):
        return last.replace(hour=0, minute=0, second=0, microsecond=0)
    if length >= timedelta(hours=1):
        return last.replace(minute=0, second=0, microsecond=0)
    if length >= timedelta(minutes=1):
        return last.replace(second=0, microsecond=0)
    return last.replace(microsecond=0)


def crontab(fields: Mapping[str, Any]) -> Terms:
    """Return the schedule of a celery `crontab` with these fields, leaving out those that are
    "*"."""
    kept = {key: _field(fields.get(key, "*")) for key in CRONTAB}
    plain = {key: value for key, value in kept.items() if value != "*"}
    return Terms({"crontab": plain or {"minute": "*"}})


def _field(value: Any) -> Any:
    return sorted(value) if isinstance(value, set | frozenset | range | tuple | list) else value


def solar(event: Any, lat: Any, lon: Any) -> Terms:
    """Return a schedule for a solar event, such as "sunset", at a latitude and longitude in
    degrees."""
    return Terms({"solar": {"event": event, "lat": float(lat), "lon": float(lon)}})


def entry_found(
    *,
    name: str,
    task: Any,
    terms: Terms,
    args: Any = (),
    kwargs: Any = None,
    options: Any = None,
    last: datetime | None = None,
    runs: int = 0,
    notes: tuple[str, ...] = (),
    **more: Any,
) -> FoundEntry:
    """Return a periodic task of another scheduler as a FoundEntry, the form before it is checked.

    `terms` is its schedule, `last` its last run and `runs` its number of runs. `more` has other
    keys of an entry, such as `enabled` or `tz`. Empty arguments are left out.
    """
    plain: dict[str, Any] = {**({} if task is None else {"task": task}), **terms.plain}
    if args:
        plain["args"] = list(args)
    if kwargs:
        plain["kwargs"] = dict(kwargs)
    if options:
        plain["options"] = {
            key: _option(value) for key, value in dict(options).items() if value is not None
        }
    plain |= {key: value for key, value in more.items() if value is not None}
    return FoundEntry(
        name=name, plain=plain, last=aware(last), runs=runs, notes=(*terms.notes, *notes)
    )


def _option(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        moment = aware(value)
        assert moment is not None, "there is a moment"
        return moment.isoformat()
    return value


def aware(moment: datetime | None) -> datetime | None:
    """Convert a datetime to UTC; one without a time zone is taken as UTC, and None is returned as
    None."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
