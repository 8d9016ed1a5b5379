"""Describe a recurrence rule in plain English."""

from datetime import datetime

from beatd.schedules.clock_words import clock_words
from beatd.schedules.recurrence import Recurrence
from beatd.schedules.rrule import RRule
from beatd.schedules.speech import DAY_NAMES, joined, months, nth, ordinal, weekdays

_UNITS = ("year", "month", "week", "day", "hour", "minute", "second")


def rrule_words(schedule: RRule) -> str:
    """Return the schedule in words: its rules, then added and excluded times, then the zone.

    Only the first three added times appear. Excluded times are counted. UTC is not mentioned.
    """
    parts = schedule.recurrences
    words = [_rule(rule) for rule in parts.rules]
    if parts.extra:
        words.append(f"once at {joined(_stamp(moment) for moment in parts.extra[:3])}")
    text = "; ".join(words)
    if left_out := len(parts.left_out) + len(parts.days_left_out):
        text += f", except {left_out} {'time' if left_out == 1 else 'times'}"
    return text if schedule.tz == "UTC" else f"{text}, {schedule.tz} time"


def _rule(rule: Recurrence) -> str:
    unit, by = _UNITS[rule.frequency], dict(rule.by)
    words = f"every {unit}" if rule.interval == 1 else f"every {rule.interval} {unit}s"
    days = []
    plain = [day for day in by.get("byweekday", ()) if not day.n]
    if plain:
        days.append(weekdays([(day.weekday + 1) % 7 for day in plain]))
    for day in by.get("byweekday", ()):
        if day.n:
            days.append(f"the {nth(day.n)} {DAY_NAMES[(day.weekday + 1) % 7]}")
    if "bymonthday" in by:
        days.append("the " + joined(ordinal(day) for day in by["bymonthday"]))
    if "byyearday" in by:
        days.append(f"day {joined(str(day) for day in by['byyearday'])} of the year")
    if "byweekno" in by:
        days.append(f"week {joined(str(week) for week in by['byweekno'])} of the year")
    if days:
        words += f" on {' and '.join(days)}"
    if "bymonth" in by:
        words += f" in {months(by['bymonth'])}"
    if "bysetpos" in by:
        words += f", only the {joined(nth(position) for position in by['bysetpos'])} of these,"
    times = [list(by.get(f"by{part}", ())) for part in ("second", "minute", "hour")]
    if all(times):
        words += f" {clock_words(*times)}"
    else:
        for part, values in zip(("second", "minute", "hour"), times, strict=True):
            if values and not (part == "second" and values == [0]):
                words += f" at {part} {joined(str(value) for value in values)}"
    return words if rule.until is None else f"{words}, until {_stamp(rule.until)}"


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.second else f"{moment:%Y-%m-%d %H:%M}"
