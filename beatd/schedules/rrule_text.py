"""Parse the lines RRULE, DTSTART, EXDATE and RDATE of a recurrence rule (RFC 5545)."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import lru_cache
from math import prod
from typing import Any

from dateutil import rrule as dateutil

from beatd.errors import ScheduleError
from beatd.schedules.quote import quoted
from beatd.schedules.recurrence import MAX_COUNT, Recurrence
from beatd.schedules.steps import Steps
from beatd.schedules.zone import zone, zone_name

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
_WEEKDAYS = dict(zip(("MO", "TU", "WE", "TH", "FR", "SA", "SU"), dateutil.weekdays, strict=True))
#: The lowest and highest number of each list; 0 is not allowed in one with negative numbers.
_NUMBERS = {
    "BYMONTH": (1, 12),
    "BYMONTHDAY": (-31, 31),
    "BYYEARDAY": (-366, 366),
    "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
}
_KEYS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", *_NUMBERS)
_LINES = ("DTSTART", "RRULE", "EXDATE", "RDATE")
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_STAMP = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z)?)?")
_PERIODS = ("year", "month", "week", "day", "hour", "minute", "second")
_INTERVAL_MAX = 10_000_000
_MAX_CHARS = 10_000
_STEPS_TO_PARSE = 200_000  # for all rules of a text: a COUNT is counted, once
#: Where a rule without DTSTART begins, on the wall clock of its zone: midnight of a Thursday.
ANCHOR = datetime(1970, 1, 1)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Recurrences:
    """The parsed lines of a recurrence text (RFC 5545), with all times on the wall clock.

    `rules` are the RRULE lines, `extra` the RDATE times in order, `left_out` the EXDATE times, and
    `days_left_out` the EXDATE days.
    """

    rules: tuple[Recurrence, ...]
    extra: tuple[datetime, ...]
    left_out: frozenset[datetime]
    days_left_out: frozenset[date]


class _Wrong(Exception):
    """Raised if one part of a recurrence text is wrong; `parse` makes it a ScheduleError."""


@lru_cache(maxsize=256)  # up to 60 kB each
def parse(text: str, tz: str) -> Recurrences:
    """Return the rules and times of a recurrence text, on the wall clock of zone `tz`.

    Raises ScheduleError if the text is wrong.
    """
    if len(text) > _MAX_CHARS:
        raise ScheduleError(
            f"rrule {quoted(text)} is {len(text)} characters long; {_MAX_CHARS} will do"
        )
    try:
        return _parse(text, tz)
    except _Wrong as wrong:
        raise ScheduleError(f"rrule {quoted(text)}: {wrong}") from None
    except (ValueError, OverflowError) as error:
        raise ScheduleError(f"rrule {quoted(text)}: {error}") from None


def _parse(text: str, tz: str) -> Recurrences:
    start: datetime | None = None
    rules: list[dict[str, str]] = []
    extra: list[datetime] = []
    left_out: list[datetime] = []
    days_left_out: list[date] = []
    for line in text.upper().split():
        name, _, value = line.rpartition(":")
        name, *parameters = name.split(";")
        _check_zone(parameters, tz)
        match name:
            case "" | "RRULE":
                rules.append(_pairs(value))
            case "DTSTART":
                start = _stamp(value, tz)
            case "RDATE":
                extra += [_stamp(stamp, tz) for stamp in value.split(",")]
            case "EXDATE":
                for stamp in value.split(","):
                    moment = _stamp(stamp, tz)
                    if "T" in stamp:
                        left_out.append(moment)
                    else:
                        days_left_out.append(moment.date())
            case _:
                raise _Wrong(f"{quoted(name)} is not understood; {_near(name, _LINES)}")
    if not rules and not extra:
        raise _Wrong("there is no rule; write it like FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17")
    steps = Steps(_STEPS_TO_PARSE)
    made = tuple(_recurrence(pairs, start, tz, steps) for pairs in rules)
    return Recurrences(made, tuple(sorted(extra)), frozenset(left_out), frozenset(days_left_out))


def _check_zone(parameters: list[str], tz: str) -> None:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key == "TZID" and zone_name(value) != tz:
            raise _Wrong(f"TZID={value} is not the entry's zone {tz}; write tz: {zone_name(value)}")
        if key not in ("TZID", "VALUE"):
            raise _Wrong(f"{quoted(parameter)} is not understood; only TZID and VALUE are")


def _pairs(rule: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in rule.strip(";").split(";"):
        key, _, value = pair.partition("=")
        if not value:
            raise _Wrong(f"{quoted(pair)} is not KEY=VALUE; write it like FREQ=DAILY;BYHOUR=9")
        if key not in _KEYS:
            raise _Wrong(f"{quoted(key)} is not understood; {_near(key, _KEYS)}")
        if key in pairs:
            raise _Wrong(f"{key} is given twice; keep one of them")
        pairs[key] = value
    return pairs


def _recurrence(pairs: dict[str, str], start: datetime | None, tz: str, steps: Steps) -> Recurrence:
    if "FREQ" not in pairs:
        raise _Wrong(f"FREQ is missing; it is one of {', '.join(FREQUENCIES)}")
    if pairs["FREQ"] not in FREQUENCIES:
        raise _Wrong(f"FREQ {quoted(pairs['FREQ'])}: {_near(pairs['FREQ'], FREQUENCIES)}")
    if "COUNT" in pairs and start is None:
        raise _Wrong("COUNT counts from a DTSTART, and there is none; add DTSTART or use UNTIL")
    if "COUNT" in pairs and "UNTIL" in pairs:
        raise _Wrong("COUNT and UNTIL both end it; keep one of them")
    frequency = FREQUENCIES.index(pairs["FREQ"])
    by: dict[str, Any] = {key.lower(): _list(key, pairs[key]) for key in _NUMBERS if key in pairs}
    if "BYDAY" in pairs:
        by["byweekday"] = tuple(_weekday(day, frequency) for day in pairs["BYDAY"].split(","))
    if "BYSETPOS" in pairs and frequency >= dateutil.DAILY:
        by["bysetpos"] = _positions(by, frequency)
    if "WKST" in pairs:
        by["wkst"] = _weekday(pairs["WKST"], dateutil.WEEKLY)
    until = _stamp(pairs["UNTIL"], tz) if "UNTIL" in pairs else None
    interval = _whole("INTERVAL", pairs.get("INTERVAL", "1"), 1, _INTERVAL_MAX)
    count = _whole("COUNT", pairs["COUNT"], 1, MAX_COUNT) if "COUNT" in pairs else None
    return Recurrence.of(frequency, interval, start or ANCHOR, by, until, count, steps)


def _list(key: str, value: str) -> tuple[int, ...]:
    low, high = _NUMBERS[key]
    numbers = tuple(_whole(key, number, low, high) for number in value.split(","))
    if low < 0 and 0 in numbers:
        raise _Wrong(f"{key}=0 is nothing; it counts from 1, or from the end with -1")
    return numbers


def _positions(by: dict[str, Any], frequency: int) -> tuple[int, ...]:
    """Return the BYSETPOS values that can match within one period of the rule.

    Raises `_Wrong` if no value can match; dateutil would search for hours.
    """
    parts = ("byhour", "byminute", "bysecond")[frequency - dateutil.DAILY :]
    size = prod(len(set(by.get(part, (0,)))) for part in parts)
    positions = tuple(position for position in by["bysetpos"] if abs(position) <= size)
    if not positions:
        raise _Wrong(f"BYSETPOS counts within one {_PERIODS[frequency]}; it has {size}")
    return positions


def _whole(key: str, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise _Wrong(f"{key} {quoted(text)} is not a whole number from {low} to {high}")
    return int(text)


def _weekday(text: str, frequency: int) -> Any:
    match = _DAY.fullmatch(text)
    if match is None or (match[1] and not int(match[1])):
        raise _Wrong(f"{quoted(text)} is not a day; write MO, or -1FR for the last Friday")
    day = _WEEKDAYS[match[2]]
    if match[1] is None:
        return day
    if frequency > dateutil.MONTHLY:
        raise _Wrong(f"{text} counts within a month or year; it needs FREQ=MONTHLY or YEARLY")
    most = 5 if frequency == dateutil.MONTHLY else 53
    if abs(int(match[1])) > most:
        raise _Wrong(f"there is no {text}; a {_PERIODS[frequency]} has at most {most} of a weekday")
    return day(int(match[1]))


def _stamp(text: str, tz: str) -> datetime:
    """Return a time such as "20270101T090000" as a datetime on the wall clock of zone `tz`.

    A text that ends in Z is converted from UTC. Raises `_Wrong` if the text is not a time.
    """
    match = _STAMP.fullmatch(text)
    if match is None:
        raise _Wrong(f"{quoted(text)} is not a time; write it like 20270101T090000")
    stamp = datetime.strptime(match[1] + (match[2] or "000000"), "%Y%m%d%H%M%S")  # noqa: DTZ007
    return (
        stamp.replace(tzinfo=UTC).astimezone(zone(tz)).replace(tzinfo=None) if match[3] else stamp
    )


def _near(word: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(word[:40], known, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
