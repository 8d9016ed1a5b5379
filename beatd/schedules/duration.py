"""Parse and write durations, such as 30s, 1h30m, 0.5 and {minutes: 5}."""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from beatd.errors import ScheduleError
from beatd.schedules.quote import quoted

_MICROSECONDS = {
    "w": 604_800_000_000,
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "m": 60_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
_NAMES = {
    "w": ("w", "wk", "week", "weeks"),
    "d": ("d", "day", "days"),
    "h": ("h", "hr", "hour", "hours"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "ms": ("ms", "millisecond", "milliseconds"),
    "us": ("us", "µs", "microsecond", "microseconds"),
}
_UNIT = {name: unit for unit, names in _NAMES.items() for name in names}
_KEYS = ("weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([a-zµ]+)\s*,?\s*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+")
_MAX_CHARS = 64
_MAX_MICROSECONDS = timedelta.max // timedelta(microseconds=1)
_EXAMPLES = "write it like 30s, 5m, 1h30m, 1d or 90 (seconds)"


def parse_duration(value: Any) -> timedelta:
    """Return a duration from the configuration as a timedelta.

    `value` is a text such as "1h30m", a number of seconds, a mapping such as {minutes: 5}, or a
    timedelta. Raises ScheduleError if it is negative, too long or not a duration.
    """
    if isinstance(value, timedelta):
        return _positive(value // timedelta(microseconds=1), value)
    if isinstance(value, int | float):  # a bool is refused there
        return _positive(_seconds(value), value)
    if isinstance(value, Mapping):
        return _positive(sum(_keyed(key, value[key]) for key in value), dict(value))
    if isinstance(value, str):
        return _positive(_text(value), value)
    raise ScheduleError(f"{quoted(value)} is not a duration; {_EXAMPLES}")


def format_duration(length: timedelta) -> str:
    """Return a duration as short text, such as "1h30m", which `parse_duration` reads back exactly.

    Raises ScheduleError if the length is negative.
    """
    left = length // timedelta(microseconds=1)
    if left < 0:
        raise ScheduleError(f"a duration cannot be negative: {length}")
    parts = []
    for unit in ("d", "h", "m"):
        count, left = divmod(left, _MICROSECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if left or not parts:
        seconds, fraction = divmod(left, 1_000_000)
        tail = f".{fraction:06d}".rstrip("0") if fraction else ""
        parts.append(f"{seconds}{tail}s")
    return "".join(parts)


def _text(text: str) -> int:
    stripped = text.strip().lower()
    if len(stripped) > _MAX_CHARS:
        raise ScheduleError(
            f"{quoted(text)} is not a duration: it is {len(text)} characters long; {_EXAMPLES}"
        )
    if _NUMBER.fullmatch(stripped):
        return _exact(Decimal(stripped), "s", text)
    total, end = 0, 0
    while end < len(stripped):
        part = _PART.match(stripped, end)
        if part is None or part[2] not in _UNIT:
            raise ScheduleError(f"{quoted(text)} is not a duration; {_EXAMPLES}")
        total += _exact(Decimal(part[1]), _UNIT[part[2]], text)
        end = part.end()
    if not stripped:
        raise ScheduleError(f"{quoted(text)} is not a duration; {_EXAMPLES}")
    return total


def _exact(amount: Decimal, unit: str, text: str) -> int:
    scaled = amount * _MICROSECONDS[unit]
    whole = int(scaled)
    if whole != scaled:
        raise ScheduleError(f"{quoted(text)} is finer than a microsecond; round it")
    return whole


def _seconds(number: int | float) -> int:
    # Decimal(repr) and not the binary value, so that 0.1 is a tenth; 1/3 is rounded.
    try:
        return round(Decimal(repr(number)) * 1_000_000)
    except (InvalidOperation, OverflowError, ValueError):
        raise ScheduleError(f"{quoted(number)} is not a duration; {_EXAMPLES}") from None


def _keyed(key: Any, number: Any) -> int:
    if key not in _KEYS:
        near = get_close_matches(str(key)[:_MAX_CHARS], _KEYS, 1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(_KEYS)}"
        raise ScheduleError(f"a duration has no {quoted(key)}; {hint}")
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ScheduleError(f"{key} must be a number, not {quoted(number)}")
    scale = _MICROSECONDS[_UNIT[key]]
    return round(Decimal(_seconds(number)) * scale / 1_000_000)


def _positive(microseconds: int, value: Any) -> timedelta:
    if microseconds < 0:
        raise ScheduleError(f"{quoted(value)} is negative; a duration is zero or more")
    if microseconds > _MAX_MICROSECONDS:
        raise ScheduleError(f"{quoted(value)} is too long; the most is {timedelta.max.days} days")
    return timedelta(microseconds=microseconds)


def lateness_text(seconds: float) -> str:
    """Format a duration in seconds, such as "3.214 s" below a minute, or else "3 h 12 min"."""
    return f"{seconds:.3f} s" if seconds < 60 else length_text(seconds)


def length_text(seconds: float) -> str:
    """Return a duration in its two largest units, such as "3 h 12 min".

    The sign and fractions of a second are dropped. The text is empty for less than a second.
    """
    left, parts = int(abs(seconds)), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def runtime(seconds: float) -> str:
    """Return the duration of a run as text: "0.4 ms", "12 ms", "3.4 s" or "3 h 12 min"."""
    if seconds < 1:
        return f"{seconds * 1000:.{1 if seconds < 0.01 else 0}f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else length_text(seconds)
