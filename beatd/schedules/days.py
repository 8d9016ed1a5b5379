"""Find the days of a month that match a cron day rule such as 13, L, LW, 15W, fri#2 or L5.

Every rule depends only on the weekday of the month's first day and on the month's length. A rule is
therefore a table of 7 x 4 bit masks, in which bit d is day d. Finding a month's days is one
look-up, and two rules are equal exactly when their tables are equal.
"""

from collections.abc import Callable
from functools import lru_cache

LENGTHS = (28, 29, 30, 31)
MONTH_LENGTHS = {1: (31,), 2: (28, 29), 3: (31,), 4: (30,), 5: (31,), 6: (30,), 7: (31,),
                 8: (31,), 9: (30,), 10: (31,), 11: (30,), 12: (31,)}  # fmt: skip
EACH_WEEK = sum(1 << day for day in range(1, 32, 7))
#: The days of one rule in a month that begins with weekday `first` (0 is Sunday), as a mask.
DayRule = Callable[[int, int], int]
Table = tuple[int, ...]


def whole(length: int) -> int:
    """Return a bit mask of all days of a month with `length` days; bit 1 is the 1st."""
    return (1 << (length + 1)) - 2


def row(first: int, length: int) -> int:
    """Return the index, in a `Table`, of the months with this first weekday and this length.

    `first` is the weekday of the 1st (0 is Sunday), and `length` the number of days.
    """
    return first * 4 + length - 28


def table(rule: DayRule) -> Table:
    """Return the matching days of a rule for every possible month, as 28 bit masks.

    A month begins on one of 7 weekdays and has one of 4 lengths; `row` returns its index.
    """
    return tuple(rule(first, length) & whole(length) for first in range(7) for length in LENGTHS)


def weekday(first: int, day: int) -> int:
    """Return the weekday of a day in a month that begins on weekday `first`; 0 is Sunday."""
    return (first + day - 1) % 7


def on_days(mask: int) -> DayRule:
    """Return a rule that matches the days of the month in `mask`, in which bit 1 is the 1st."""
    return lambda first, length: mask


def on_weekdays(mask: int) -> DayRule:
    """Return a rule that matches all days on the weekdays in `mask`, in which bit 0 is Sunday."""
    # The mask is turned so that the month's first day comes first, and repeated for each week.
    return lambda first, length: (mask >> first | mask << 7 - first & 127) * EACH_WEEK


def last_day(first: int, length: int) -> int:
    """Return the last day of a month of `length` days as a bit mask, in which bit 1 is the 1st."""
    return 1 << length


def last_working_day(first: int, length: int) -> int:
    """Return a month's last day from Monday to Friday, as a bit mask in which bit 1 is the 1st.

    The month has `length` days and begins on weekday `first`; 0 is Sunday.
    """
    return 1 << length - {6: 1, 0: 2}.get(weekday(first, length), 0)


def nearest_working_day(wanted: int) -> DayRule:
    """Return a rule for the day from Monday to Friday nearest to day `wanted` of the month.

    In a month that is too short for `wanted`, it is the working day nearest to the last day.
    """

    def rule(first: int, length: int) -> int:
        day = min(wanted, length)
        match weekday(first, day):
            case 6:
                return 1 << (day - 1 if day > 1 else day + 2)
            case 0:
                return 1 << (day + 1 if day < length else day - 2)
        return 1 << day

    return rule


def nth_weekday(which: int, nth: int) -> DayRule:
    """Return a rule for one weekday of a month, such as the second Friday (`which` 5, `nth` 2).

    An `nth` of -1 is the last such weekday. A fifth Friday matches no day if there are only four.
    """

    def rule(first: int, length: int) -> int:
        day = 1 + (which - first) % 7
        day += 7 * ((length - day) // 7 if nth == -1 else nth - 1)
        return 1 << day if day <= length else 0

    return rule


def union(rules: list[DayRule]) -> DayRule:
    """Return a rule for the days that at least one of the rules matches."""

    def rule(first: int, length: int) -> int:
        mask = 0
        for one in rules:
            mask |= one(first, length)
        return mask

    return rule


def either(one: DayRule, other: DayRule) -> DayRule:
    """Return a rule for the days that `one`, `other` or both match."""
    return lambda first, length: one(first, length) | other(first, length)


def both(one: DayRule, other: DayRule) -> DayRule:
    """Return a rule for the days that `one` and `other` both match."""
    return lambda first, length: one(first, length) & other(first, length)


@lru_cache(maxsize=1024)
def reachable(months: int, days: Table) -> tuple[int, Table]:
    """Return the allowed `months` and `days` without those that can never match.

    For example, February is removed if only day 30 is allowed. Bit 1 of `months` is January; 0
    means that no day ever matches. Rules that match the same days become equal.
    """
    kept = 0
    lengths: set[int] = set()
    for month, shapes in MONTH_LENGTHS.items():
        if months >> month & 1 and any(days[row(f, n)] for f in range(7) for n in shapes):
            kept |= 1 << month
            lengths.update(shapes)
    return kept, tuple(days[row(f, n)] if n in lengths else 0 for f in range(7) for n in LENGTHS)
