"""Convert a Celery schedule object, such as crontab(hour=2), to the keys of an entry in YAML."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from celery.beat import ScheduleEntry
from celery.schedules import BaseSchedule, crontab, schedule, solar

from beatd.errors import ConfigError, with_article
from beatd.schedules import zone
from beatd.schedules.duration import format_duration

_WRITTEN = ("task", "schedule", "args", "kwargs", "options")
_FIELDS = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
#: Methods that decide when a schedule runs: a subclass with one of its own means something else.
_DECIDING = ("is_due", "remaining_estimate", "remaining_delta")
_HINT = "write it as every, cron, crontab, at, solar or rrule in YAML"


def zone_name_of(tz: Any) -> str:
    """Return the IANA name of a time zone; raise ConfigError if it has no such name."""
    for name in (tz, getattr(tz, "key", None), getattr(tz, "zone", None), str(tz)):
        if isinstance(name, str):
            try:
                zone(name)
            except ConfigError:
                continue
            return name
    raise ConfigError(f"timezone: {tz!r} has no IANA name")


def as_written(entry: Any) -> Any:
    """Return Celery's ScheduleEntry as the dict that `beat_schedule` would contain.

    Any other value is returned unchanged.
    """
    if not isinstance(entry, ScheduleEntry):
        return entry
    return {key: getattr(entry, key) for key in _WRITTEN if getattr(entry, key)}


def plain_schedule(value: Any, relative: bool) -> dict[str, Any]:
    """Return a Celery schedule, timedelta or number of seconds as YAML has it: {"every": "5m"}.

    `relative` is Celery's option to round runs to whole days, hours or minutes of the wall clock,
    for seconds and timedeltas; a schedule object has its own. The result has `tz` if the schedule
    has its own zone, and `start` if the rounding needs one.

    Raises ConfigError for any other object, and for a class with its own way to decide when runs
    are due.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | timedelta | BaseSchedule):
        text = f"{value!r:.80} is {with_article(type(value).__name__)}"
        raise ConfigError(f"schedule: {text}, not seconds, a timedelta or a schedule; {_HINT}")
    if isinstance(value, int | float):
        return _every(timedelta(seconds=value), relative)
    if isinstance(value, timedelta):
        return _every(value, relative)
    own = _own_zone(value)
    if isinstance(value, crontab):
        _refuse_other_meaning(value, crontab)
        fields = {field: _field(getattr(value, f"_orig_{field}")) for field in _FIELDS}
        written = {field: text for field, text in fields.items() if text != "*"}
        return {"crontab": written or {"minute": "*"}, **own}
    if isinstance(value, solar):
        _refuse_other_meaning(value, solar)
        return {"solar": {"event": value.event, "lat": value.lat, "lon": value.lon}, **own}
    moment = getattr(value, "clocked_time", None)  # django-celery-beat's
    if isinstance(moment, datetime):
        return {"at": moment.isoformat(), **own}
    if isinstance(value, schedule):
        _refuse_other_meaning(value, schedule)
        return {**_every(value.run_every, value.relative), **own}
    raise ConfigError(
        f"schedule: {with_article(type(value).__qualname__)} is not one that beatd knows; {_HINT}"
    )


def _every(period: timedelta, relative: bool) -> dict[str, Any]:
    every = format_duration(period) if period >= timedelta(0) else period / timedelta(seconds=1)
    if not relative:
        return {"every": every}
    if period == timedelta(days=1):
        return {"cron": "0 0 * * *"}
    # Celery rounds to whole days, hours or minutes of the wall clock; so does a grid that begins
    # at a midnight of it.
    return {"every": every, "start": "2001-01-01T00:00:00"}


def _own_zone(value: BaseSchedule) -> dict[str, Any]:
    tz: tzinfo | None = None
    if value.nowfun is not None:
        tz = value.nowfun().tzinfo
    elif "tz" in vars(value):
        # Celery caches the app's zone here too, at its first use; it is the same zone then.
        tz = vars(value)["tz"]
    return {} if tz is None else {"tz": zone_name_of(tz)}


def _field(value: Any) -> Any:
    return value if isinstance(value, str | int) else sorted(value)


def _refuse_other_meaning(value: BaseSchedule, known: type) -> None:
    """Raise ConfigError if the class of `value` may run at other times than its base class `known`.

    That is so if the class overrides one of the methods in `_DECIDING`. Classes of
    django-celery-beat are always accepted.
    """
    for name in _DECIDING:
        if getattr(type(value), name, None) is not getattr(known, name, None) and not (
            type(value).__module__.startswith("django_celery_beat")
        ):
            kind = type(value).__qualname__
            raise ConfigError(f"schedule: {kind} decides by its own {name}; {_HINT}")
