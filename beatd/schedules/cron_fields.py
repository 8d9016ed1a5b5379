"""Parse the fields of a cron text: the values that each one matches."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import blake2b

from beatd.errors import with_article
from beatd.schedules import days
from beatd.schedules.quote import quoted
from beatd.schedules.walk import FIRST_YEAR

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a cron text, such as the hour, with its lowest and highest value."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    #: The highest value of an H: every month has 28 days.
    hash_high: int | None = None

    def number(self, text: str) -> int:
        """Return the value of a number or name in this field, such as 1 for "mon".

        Raises `WrongField` if the field does not allow it.
        """
        if text in self.names:
            return self.names.index(text) + self.low
        if not (text.isascii() and text.isdigit()):
            near = get_close_matches(text[:20], self.names, 1, 0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise WrongField(f"{quoted(text)} is not {with_article(self.name)}{hint}")
        value = int(text)
        top = 7 if self is WEEKDAY else self.high
        if not self.low <= value <= top:
            raise WrongField(
                f"{quoted(text)[1:-1]} is not {with_article(self.name)} ({self.low} to {top})"
            )
        return value


SECOND = Field("second", 0, 59)
MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day of month", 1, 31, hash_high=28)
MONTH = Field("month", 1, 12, MONTHS)
WEEKDAY = Field("day of week", 0, 6, WEEKDAYS)
YEAR = Field("year", FIRST_YEAR, 2099)


class WrongField(Exception):
    """Raised if a field of a cron text is wrong; the text says why."""


class FieldParser:
    """Parses the fields of one cron text, such as "1-5" or "*/10".

    `seed` decides the value of each H, which stands for a fixed value chosen from a range.
    """

    def __init__(self, seed: str) -> None:
        self.seed = seed

    def mask(self, field: Field, word: str) -> int:
        mask = 0
        for part in word.split(","):
            mask |= self.part(field, part)
        return mask

    def part(self, field: Field, part: str) -> int:
        """Return the values of one item of a cron field, such as 1-5 or */10, as a bit mask.

        An item is *, a, a-b, H or H(a-b), with or without /n. Raises `WrongField` if it is invalid.
        """
        base, slash, step_text = part.partition("/")
        step = self.step(field, part, step_text) if slash else 1
        if base == "*":
            return _bits(field, range(field.low, field.high + 1, step))
        if base.startswith("h"):
            return _bits(field, self.hash_range(field, base, step if slash else None))
        if not base:
            raise WrongField(f"the {field.name} has an empty item; remove a comma")
        if base == "?":
            raise WrongField(f"? stands only alone, for a day; for any {field.name} write *")
        low_text, dash, high_text = base.partition("-")
        low = field.number(low_text)
        if field is WEEKDAY and low == 7 and high_text != "7":
            low = 0
        if not dash:
            return _bits(field, range(low, field.high + 1, step) if slash else [low])
        high = field.number(high_text)
        if field is WEEKDAY and high == 0 and low > 0:
            high = 7
        if high < low:
            raise WrongField(_backward(field, base, low, high, step if slash else 0))
        return _bits(field, range(low, high + 1, step))

    def step(self, field: Field, part: str, text: str) -> int:
        if not (text.isascii() and text.isdigit()) or not text.strip("0"):
            raise WrongField(f"the step of {quoted(part)} is not a number from 1 on")
        return min(int(text), 1_000_000_000)

    def hash_range(self, field: Field, base: str, step: int | None) -> range | list[int]:
        """Return the values that an H in a cron field stands for, such as minute 17.

        An H is one value of its range; H/n is every `step`th value. The parser's seed decides the
        first one. Raises `WrongField` if it is invalid.
        """
        inner = re.fullmatch(r"h(?:\(([^()]*)-([^()]*)\))?", base)
        if inner is None:
            raise WrongField(
                f"{quoted(base)} is not understood; write H, H/15, H(0-29) or H(0-29)/10"
            )
        low, high = field.low, field.hash_high or field.high
        if inner[1] is not None:
            low, high = field.number(inner[1]), field.number(inner[2])
            if field is WEEKDAY and low == 0:
                high = min(high, 6)  # 7 is Sunday once more
        if high < low:
            raise WrongField(
                f"H({inner[1]}-{inner[2]}) runs backward; write the smaller number first"
            )
        digest = blake2b(f"{self.seed}\0{field.name}".encode(errors="surrogatepass"), digest_size=8)
        drawn = int.from_bytes(digest.digest(), "big")
        if step is None:
            return [low + drawn % (high - low + 1)]
        return range(low + drawn % min(step, high - low + 1), high + 1, step)

    def day_rule(self, day: str, weekday: str) -> days.DayRule:
        """Return the rule for the days that match the day-of-month and day-of-week fields.

        If both fields restrict the days, a day needs to match only one of them, as in cron. A field
        that begins with * or is ? does not restrict the days.
        """
        on_day = days.union([self.day(part) for part in _unmarked(day).split(",")])
        on_weekday = days.union([self.weekday(part) for part in _unmarked(weekday).split(",")])
        free = day[0] in "*?" or weekday[0] in "*?"
        return (days.both if free else days.either)(on_day, on_weekday)

    def day(self, part: str) -> days.DayRule:
        if part == "l":
            return days.last_day
        if part in ("lw", "wl"):
            return days.last_working_day
        if nearest := re.fullmatch(r"([0-9]+)w|w([0-9]+)", part):
            return days.nearest_working_day(DAY.number(nearest[1] or nearest[2]))
        if part.startswith("l-") or part.endswith("w"):
            raise WrongField(f"{quoted(part)} is not a day of month; write L, LW or 15W")
        return days.on_days(self.part(DAY, re.sub(r"-l(?=/|$)", "-31", part)))

    def weekday(self, part: str) -> days.DayRule:
        if part == "l":
            raise WrongField("L alone is not a day of week; write L5 for the month's last Friday")
        if "#" in part:
            which, _, nth = part.partition("#")
            if nth not in ("1", "2", "3", "4", "5"):
                raise WrongField(
                    f"{quoted(part)}: after # stands 1 to 5; for the last one write L{which}"
                )
            mask = self.part(WEEKDAY, which)
            return days.union([days.nth_weekday(d, int(nth)) for d in range(7) if mask >> d & 1])
        if last := re.fullmatch(r"l(\w+)|(\w+)l", part):
            return days.nth_weekday(WEEKDAY.number(last[1] or last[2]), -1)
        return days.on_weekdays(self.part(WEEKDAY, part))


def mask(field: Field, word: str) -> int:
    """Return the values that a cron field matches, as a bit mask: "1-3" sets the bits 1, 2 and 3.

    `word` is the text of the field. It must not have an H (a value computed from the entry's name).
    """
    return FieldParser("").mask(field, _unmarked(word))


def _unmarked(word: str) -> str:
    return "*" if word == "?" else word


def _bits(field: Field, values: Iterable[int]) -> int:
    mask = 0
    for value in values:
        mask |= 1 << (value % 7 if field is WEEKDAY else value)
    return mask


def _backward(field: Field, base: str, low: int, high: int, step: int) -> str:
    """Return the error message for a backward range such as 22-2, with a correct form."""
    low_text, _, high_text = base.partition("-")
    top, bottom = field.high, field.low
    top_text, bottom_text = str(top), str(bottom)
    tail = f"/{step}" if step else ""
    if field.names:
        top_text, bottom_text = field.names[-1], field.names[0]
    if field is WEEKDAY:
        rest = _span("mon", high_text, 1, high)
        return f"{base} runs backward; write {low_text}-sun{tail},{rest}{tail}"
    return (
        f"{base} runs backward; write {_span(low_text, top_text, low, top)}{tail},"
        f"{_span(bottom_text, high_text, bottom, high)}{tail}"
    )


def _span(low_text: str, high_text: str, low: int, high: int) -> str:
    return low_text if low == high else f"{low_text}-{high_text}"
