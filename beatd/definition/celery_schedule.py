"""A schedule object of Celery, as our YAML has it."""

from datetime import datetime, timedelta, tzinfo
from typing import Any

from celery.beat import ScheduleEntry
from celery.schedules import BaseSchedule, crontab, schedule, solar

from beatd.errors import ConfigError
from beatd.schedules import zone
from beatd.schedules.duration import format_duration

_WRITTEN = ("task", "schedule", "args", "kwargs", "options")
_FIELDS = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
#: What makes a subclass mean something else than its class.
_MEANING = ("is_due", "remaining_estimate", "remaining_delta")
_HINT = "write it as every, cron, crontab, at, solar or rrule in YAML"


def zone_name_of(tz: Any) -> str:
    """The IANA name of a tzinfo (or of a name), or ConfigError where it has none."""
    for name in (tz, getattr(tz, "key", None), getattr(tz, "zone", None), str(tz)):
        if isinstance(name, str):
            try:
                zone(name)
            except ConfigError:
                continue
            return name
    raise ConfigError(f"timezone: {tz!r} has no IANA name")


def as_written(entry: Any) -> Any:
    """The dict that beat_schedule would have in its place; anything else as it is."""
    if not isinstance(entry, ScheduleEntry):
        return entry
    return {key: getattr(entry, key) for key in _WRITTEN if getattr(entry, key)}


def plain_schedule(value: Any, relative: bool, timezone: str) -> dict[str, Any]:
    """One of our schedule keys, with `tz` and `start` where they belong to it."""
    if isinstance(value, bool) or not isinstance(value, int | float | timedelta | BaseSchedule):
        text = f"{value!r:.80} is a {type(value).__name__}"
        raise ConfigError(f"schedule: {text}, not seconds, a timedelta or a schedule; {_HINT}")
    if isinstance(value, int | float):
        return _every(timedelta(seconds=value), relative, timezone)
    if isinstance(value, timedelta):
        return _every(value, relative, timezone)
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
        return {**_every(value.run_every, value.relative, own.get("tz", timezone)), **own}
    raise ConfigError(
        f"schedule: a {type(value).__qualname__} is not one that beatd knows; {_HINT}"
    )


def _every(period: timedelta, relative: bool, timezone: str) -> dict[str, Any]:
    every = format_duration(period) if period >= timedelta(0) else period / timedelta(seconds=1)
    if not relative:
        return {"every": every}
    if period == timedelta(days=1):
        return {"cron": "0 0 * * *"}
    # Celery rounds to whole days, hours or minutes of the wall clock; so does a grid that begins
    # at a midnight of it.
    return {"every": every, "start": "2001-01-01T00:00:00"}


def _own_zone(value: BaseSchedule) -> dict[str, Any]:
    """The zone the schedule was given, rather than the app's."""
    tz: tzinfo | None = None
    if value.nowfun is not None:
        tz = value.nowfun().tzinfo
    elif "tz" in vars(value):
        # An app's zone lands here too, once something has asked for it: the same zone, then.
        tz = vars(value)["tz"]
    return {} if tz is None else {"tz": zone_name_of(tz)}


def _field(value: Any) -> Any:
    """A cron field as text, number or list, as it was given to crontab()."""
    return value if isinstance(value, str | int) else sorted(value)


def _refuse_other_meaning(value: BaseSchedule, known: type) -> None:
    for name in _MEANING:
        if getattr(type(value), name, None) is not getattr(known, name, None) and not (
            type(value).__module__.startswith("django_celery_beat")
        ):
            kind = type(value).__qualname__
            raise ConfigError(f"schedule: {kind} decides by its own {name}; {_HINT}")
