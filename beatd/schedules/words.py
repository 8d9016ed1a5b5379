"""Describe a schedule in plain English."""

from beatd.entry import Schedule
from beatd.schedules.at import At
from beatd.schedules.cron import Cron
from beatd.schedules.cron_words import cron_words
from beatd.schedules.interval import Interval
from beatd.schedules.moment import in_zone, wall_text
from beatd.schedules.rrule import RRule
from beatd.schedules.rrule_words import rrule_words
from beatd.schedules.solar import Solar
from beatd.schedules.speech import joined
from beatd.schedules.zone import zone

_UNITS = (
    ("day", 86_400_000_000),
    ("hour", 3_600_000_000),
    ("minute", 60_000_000),
    ("second", 1_000_000),
    ("millisecond", 1_000),
    ("microsecond", 1),
)


def describe(schedule: Schedule, tz: str = "UTC") -> str:
    """Return a schedule in plain English, such as "every 5 minutes".

    The moment of a schedule that runs once is in the zone `tz`.

    An unknown kind of schedule is returned as YAML writes it.
    """
    match schedule:
        case Interval():
            return _interval(schedule)
        case Cron():
            return cron_words(schedule)
        case At():
            local = in_zone(schedule.moment, zone(tz))
            return f"once, at {wall_text(local)} {local:%Z}"
        case RRule():
            return rrule_words(schedule)
        case Solar():
            place = f"{_degrees(schedule.lat, 'NS')}, {_degrees(schedule.lon, 'EW')}"
            return f"every day at {schedule.event.replace('_', ' ')}, seen from {place}"
    return ", ".join(f"{kind} {value}" for kind, value in schedule.plain().items())


def _interval(schedule: Interval) -> str:
    length = _length(schedule.period)
    every = "every " + (length if " and " in length else length.removeprefix("1 "))
    return every + (f", shifted by {_length(schedule.offset)}" if schedule.offset else "")


def _length(microseconds: int) -> str:
    parts = []
    for unit, size in _UNITS:
        count, microseconds = divmod(microseconds, size)
        if count:
            parts.append(f"{count} {unit}{'s' * (count != 1)}")
    return joined(parts)


def _degrees(value: float, signs: str) -> str:
    return f"{abs(value):g}° {signs[value < 0]}"
