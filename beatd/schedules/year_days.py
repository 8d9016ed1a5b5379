"""Find the days of a year that match a recurrence rule (RFC 5545), as a bit mask.

The calendar repeats every 400 years and has only a few kinds of years. Two years are of the same
kind if they begin on the same weekday, and if they agree on which of three years are leap years:
the year before, the year itself and the year after. A rule has one mask for each kind, so that a
year without a matching day costs one look-up.
"""

from calendar import isleap
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from beatd.schedules.steps import Steps

_CYCLE, _FROM = 400, 2000
_STEPS_OF_A_MASK = 10
LAST_DAY = date.max.toordinal()


class Year(NamedTuple):
    """The days of a year as bit masks; bit 0 is 1 January.

    One object serves all years with the same calendar. `number` is the first of them, and `length`
    is its number of days.
    """

    number: int
    length: int
    months: tuple[int, ...]  # by month, from 1
    monthdays: dict[int, int]  # by day, from 1 and from the end with -1
    weekdays: tuple[int, ...]  # by weekday, 0 is Monday


class YearDays:
    """The days of a year that match a recurrence rule, such as each second Friday.

    `parts` has the parts that select days, such as `bymonth`, `byweekno` and `byweekday`; without
    parts, every day matches. `wkst` is the first day of the week (0 is Monday). `nth_in_month` is
    True if the second Friday is that of each month, False if it is that of the year.
    """

    __slots__ = ("_masks", "_nth_in_month", "_parts", "_wkst", "every")

    def __init__(self, parts: dict[str, tuple[Any, ...]], wkst: int, *, nth_in_month: bool) -> None:
        self._parts, self._wkst, self._nth_in_month = parts, wkst, nth_in_month
        self.every = not parts
        self._masks: dict[int, int] = {}

    def at_or_after(self, day: int, last: int, steps: Steps) -> int | None:
        """Return the first matching day from `day` to `last`, or None; all days are ordinals.

        Raises SearchGivenUp if the search needs more than `steps`.
        """
        if self.every:
            return day if day <= last else None
        year = date.fromordinal(day).year
        first = date(year, 1, 1).toordinal()
        mask = self.mask(year, steps) >> day - first
        if not mask:
            first = day = first + 365 + isleap(year)
            while day <= last:
                steps.spend()
                year += 1
                mask = self.mask(year, steps)
                if mask:
                    break
                day += 365 + isleap(year)
            else:
                return None
        found = day + (mask & -mask).bit_length() - 1
        return found if found <= last else None

    def mask(self, year: int, steps: Steps) -> int:
        """Return the matching days of a year as a bit mask; bit 0 is 1 January.

        Raises SearchGivenUp if the search needs more than `steps`.
        """
        number = _kinds()[year % _CYCLE]
        mask = self._masks.get(number)
        if mask is None:
            steps.spend(_STEPS_OF_A_MASK)
            mask = self._masks[number] = self._made(_year(number))
        return mask

    def _made(self, year: Year) -> int:
        mask = (1 << year.length) - 1
        for key, values in self._parts.items():
            mask &= _or(self._part(year, key, values))
        return mask

    def _part(self, year: Year, key: str, values: tuple[Any, ...]) -> list[int]:
        match key:
            case "bymonth":
                return [year.months[month] for month in values]
            case "bymonthday":
                return [year.monthdays[day] for day in values]
            case "byyearday":
                places = [day - 1 if day > 0 else year.length + day for day in values]
                return [1 << place for place in places if 0 <= place < year.length]
            case "byweekno":
                return [_week(year, week, self._wkst) for week in values]
            case _:
                return [self._weekday(year, day.weekday, day.n) for day in values]

    def _weekday(self, year: Year, weekday: int, nth: int | None) -> int:
        days = year.weekdays[weekday]
        if not nth:
            return days
        if not self._nth_in_month:
            return _nth(days, nth)
        months = self._parts.get("bymonth", range(1, 13))
        return _or([_nth(days & year.months[month], nth) for month in months])


def _or(masks: list[int]) -> int:
    whole = 0
    for mask in masks:
        whole |= mask
    return whole


def _nth(days: int, nth: int) -> int:
    """Return a mask with only the `nth` set bit of `days`: the second of 0b110 is 0b100.

    -1 is the last. The result is 0 if there is no such bit.
    """
    places = [place for place in range(days.bit_length()) if days >> place & 1]
    index = nth - 1 if nth > 0 else len(places) + nth
    return 1 << places[index] if 0 <= index < len(places) else 0


def _week(year: Year, week: int, wkst: int) -> int:
    """Return the days of this year that are in week `week`, as a bit mask; -1 is the last week.

    Weeks begin on weekday `wkst` and are numbered as in ISO 8601. The first and last days of a year
    may therefore belong to a week of the year before or after.
    """
    first = date(year.number, 1, 1).toordinal()
    mask = 0
    for number in (year.number - 1, year.number, year.number + 1):
        begin, end = _first_week(number, wkst), _first_week(number + 1, wkst)
        at = begin + 7 * (week - 1) if week > 0 else end + 7 * week
        if begin <= at < end:
            mask |= _shifted(0b1111111, at - first)
    return mask & (1 << year.length) - 1


def _shifted(mask: int, by: int) -> int:
    return mask << by if by >= 0 else mask >> -by


def _first_week(year: int, wkst: int) -> int:
    """Return the first day (an ordinal) of the year's week 1.

    It is the first week with at least four days in the year, as in ISO 8601.
    """
    fourth = date(year, 1, 4)
    return fourth.toordinal() - (fourth.weekday() - wkst) % 7


@cache
def _kinds() -> tuple[int, ...]:
    seen: dict[tuple[int, bool, bool, bool], int] = {}
    kinds = []
    for place in range(_CYCLE):
        year = _FROM + place
        # Two years are of one kind if they have the same calendar (see the top of this file).
        kind = date(year, 1, 1).weekday(), isleap(year - 1), isleap(year), isleap(year + 1)
        kinds.append(seen.setdefault(kind, year))
    # For each year of the cycle, the first year of its kind.
    return tuple(kinds)


@cache
def _year(number: int) -> Year:
    months, monthdays = [0], {day: 0 for day in range(-31, 32) if day}
    length = 365 + isleap(number)
    begin = 0
    first = date(number, 1, 1).toordinal()
    for month in range(1, 13):
        following = date(number + month // 12, month % 12 + 1, 1)
        end = following.toordinal() - first
        months.append((1 << end) - (1 << begin))
        for place in range(begin, end):
            monthdays[place - begin + 1] |= 1 << place
            monthdays[place - end] |= 1 << place
        begin = end
    weekdays = [0] * 7
    for place in range(length):
        weekdays[(first + place - 1) % 7] |= 1 << place
    return Year(number, length, tuple(months), monthdays, tuple(weekdays))
