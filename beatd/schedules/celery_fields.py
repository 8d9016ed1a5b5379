"""Parse the fields of Celery's crontab, such as {"minute": 0, "hour": "*/2"}.

The syntax is Celery's, with its oddities. A range may wrap around its highest value, and the step
of a range then counts across the wrap. A name needs only its first three letters. Text after a
match is ignored ('mon/2' is mon). This module repeats Celery's syntax because importing Celery
costs more time and memory than all of beatd. Tests compare the two.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple

from beatd.errors import ScheduleError
from beatd.schedules import days
from beatd.schedules.cron_fields import MONTHS, WEEKDAYS
from beatd.schedules.cron_text import CronText
from beatd.schedules.quote import quoted
from beatd.schedules.walk import Fields


class Key(NamedTuple):
    """A field of Celery's crontab, such as `hour`, with its lowest and highest value."""

    name: str
    low: int
    high: int


MINUTE = Key("minute", 0, 59)
HOUR = Key("hour", 0, 23)
DAY_OF_WEEK = Key("day_of_week", 0, 6)
DAY_OF_MONTH = Key("day_of_month", 1, 31)
MONTH_OF_YEAR = Key("month_of_year", 1, 12)
KEYS = {key.name: key for key in (MINUTE, HOUR, DAY_OF_WEEK, DAY_OF_MONTH, MONTH_OF_YEAR)}
_ALSO = {"dow": "day_of_week", "weekday": "day_of_week", "dom": "day_of_month",
         "day": "day_of_month", "month": "month_of_year", "moy": "month_of_year"}  # fmt: skip
# In celery's order: the first pattern that a part begins with decides.
_RANGE_STEP = re.compile(r"(\w+?)-(\w+)/(\w+)?")
_RANGE = re.compile(r"(\w+?)-(\w+)")
_STAR_STEP = re.compile(r"\*/(\w+)?")
_MAX_CHARS = 1000

#: A field that is hashable: text, one number, or sorted numbers.
Written = str | int | tuple[int, ...]


def written(mapping: Mapping[str, Any]) -> tuple[tuple[str, Written], ...]:
    """Return Celery's crontab fields as hashable (key, value) pairs in a fixed order.

    A set or list of numbers becomes a sorted tuple. Raises ScheduleError for an unknown key, a
    value of a wrong type, and a number that is out of range.
    """
    for name in mapping:
        if name not in KEYS:
            raise ScheduleError(f"crontab has no {quoted(name)}; {_hint(name)}")
    return tuple((name, _written(KEYS[name], mapping[name])) for name in KEYS if name in mapping)


@lru_cache(maxsize=4096)
def parse(fields: tuple[tuple[str, Written], ...]) -> CronText:
    """Return the times that the fields of a Celery crontab match.

    `fields` are pairs from `written`. A day must match both the day of the month and the day of the
    week. Raises ScheduleError if a field is invalid, or if no day can ever match.
    """
    given = dict(fields)
    masks = {name: _mask(key, given.get(name, "*")) for name, key in KEYS.items()}
    rule = days.both(days.on_days(masks["day_of_month"]), days.on_weekdays(masks["day_of_week"]))
    months, table = days.reachable(masks["month_of_year"], days.table(rule))
    if not months:
        shown = ", ".join(f"{name}: {value}" for name, value in fields)[:100]
        raise ScheduleError(f"crontab {{{shown}}} can never fire: no such day ever comes")
    wildcard = any(str(given.get(name, "*")).startswith("*") for name in ("minute", "hour"))
    return CronText(Fields(1, masks["minute"], masks["hour"], months, table), wildcard)


def day_masks(fields: tuple[tuple[str, Written], ...]) -> tuple[int, int]:
    """Return the matching days of the month and days of the week, as two bit masks.

    Bit 1 of the first is the 1st of the month; bit 0 of the second is Sunday. `fields` are pairs
    from `written`.
    """
    given = dict(fields)
    month, week = (given.get(key.name, "*") for key in (DAY_OF_MONTH, DAY_OF_WEEK))
    return _mask(DAY_OF_MONTH, month), _mask(DAY_OF_WEEK, week)


def _hint(name: Any) -> str:
    written = str(name)[:40]
    near = [_ALSO[written]] if written in _ALSO else get_close_matches(written, KEYS, 1)
    return f"did you mean {near[0]}?" if near else f"it has {', '.join(KEYS)}"


def _written(key: Key, value: Any) -> Written:
    if isinstance(value, str):
        if len(value) > _MAX_CHARS:
            raise ScheduleError(
                f"crontab {key.name} {quoted(value)} is {len(value)} characters long; "
                f"{_MAX_CHARS} will do"
            )
        return value
    if isinstance(value, int):
        return int(value)
    if value is None:
        raise ScheduleError(f"crontab {key.name} is empty; leave it out for every {key.name}")
    if isinstance(value, Iterable) and not isinstance(value, bytes | Mapping):
        numbers = set()
        for number in value:
            if not isinstance(number, int):
                raise ScheduleError(f"crontab {key.name}: {quoted(number)} is not a whole number")
            if not key.low <= number <= key.high:
                raise ScheduleError(_outside(key, quoted(number)))
            numbers.add(int(number))
        if not numbers:
            raise ScheduleError(f"crontab {key.name} is an empty list; it would never fire")
        return tuple(sorted(numbers))
    raise ScheduleError(
        f"crontab {key.name}: {quoted(value)} is neither a number, a text nor a list of numbers"
    )


def _mask(key: Key, value: Written) -> int:
    mask = 0
    if isinstance(value, str):
        for part in value.split(","):
            for number in _part(key, part):
                mask |= 1 << number
        return mask
    for number in (value,) if isinstance(value, int) else value:
        if not key.low <= number <= key.high:
            raise ScheduleError(_outside(key, quoted(number)))
        mask |= 1 << number
    return mask


def _part(key: Key, part: str) -> list[int]:
    if not part:
        raise ScheduleError(f"crontab {key.name} has an empty item; remove a comma")
    if match := _RANGE_STEP.match(part):
        return _range(key, match[1], match[2])[:: _step(key, part, match[3])]
    if match := _RANGE.match(part):
        return _range(key, match[1], match[2])
    if match := _STAR_STEP.match(part):
        return list(range(key.low, key.high + 1))[:: _step(key, part, match[1])]
    if part in ("*", "*\n"):
        return list(range(key.low, key.high + 1))
    return [_number(key, part)]


def _range(key: Key, low_text: str, high_text: str) -> list[int]:
    low, high = _number(key, low_text), _number(key, high_text)
    if high < low:
        return [*range(low, key.high + 1), *range(key.low, high + 1)]
    return list(range(low, high + 1))


def _step(key: Key, part: str, text: str | None) -> int:
    try:
        step = int(text or "")
    except ValueError:
        step = 0
    if step < 1:
        raise ScheduleError(
            f"crontab {key.name}: the step of {quoted(part)} is not a number from 1 on"
        )
    return step


def _number(key: Key, text: str) -> int:
    if text.startswith("-"):
        raise ScheduleError(
            f"crontab {key.name}: {quoted(text)} is negative; write a number from {key.low} on"
        )
    try:
        number = int(text)
    except ValueError:
        letters = text[:3].lower()
        if letters in MONTHS:
            number = MONTHS.index(letters) + 1
        elif letters in WEEKDAYS:
            number = WEEKDAYS.index(letters)
        else:
            raise ScheduleError(
                f"crontab {key.name}: {quoted(text)} is {_unknown(key, text)}"
            ) from None
    if not key.low <= number <= key.high:
        raise ScheduleError(_outside(key, quoted(text)))
    return number


def _unknown(key: Key, text: str) -> str:
    cron_only = re.search(r"[LW#?H/]", text, re.IGNORECASE)
    return "not a number or a name" + ("; that form needs a cron text" if cron_only else "")


def _outside(key: Key, number: str) -> str:
    return f"crontab {key.name}: {number} is not between {key.low} and {key.high}"
