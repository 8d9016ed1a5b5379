"""Compute which days of a month match a rule such as 13, L, LW, 15W, fri#2 or L5.

Every day rule depends only on the weekday of the month's first day and on the month's length. A
rule is therefore a table of 7 x 4 bit masks, in which bit d is day d. A month costs one look-up,
and two rules are equal exactly when their tables are equal.
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
    """Return a mask of all days of a month of this length; bit d is day d."""
    return (1 << (length + 1)) - 2


def row(first: int, length: int) -> int:
    """Return the `Table` index for a month of `length` days that begins with weekday `first`.

    Weekday 0 is Sunday.
    """
    return first * 4 + length - 28


def table(rule: DayRule) -> Table:
    """Return the matching days of a rule for each of the 28 shapes of a month, as bit masks.

    A shape is the weekday of the first day together with the length of the month. `row` returns the
    index of a shape in the table.
    """
    return tuple(rule(first, length) & whole(length) for first in range(7) for length in LENGTHS)


def weekday(first: int, day: int) -> int:
    """Return the weekday (0 is Sunday) of a day of a month that begins with weekday `first`."""
    return (first + day - 1) % 7


def on_days(mask: int) -> DayRule:
    """Return a rule that matches the days of the month in `mask`; bit d is day d."""
    return lambda first, length: mask


def on_weekdays(mask: int) -> DayRule:
    """Return a rule that matches the weekdays in `mask`; bit 0 is Sunday."""
    # The mask is turned so that the month's first day comes first, and repeated for each week.
    return lambda first, length: (mask >> first | mask << 7 - first & 127) * EACH_WEEK


def last_day(first: int, length: int) -> int:
    """Return a mask with only the last day of the month; this function is itself a `DayRule`."""
    return 1 << length


def last_working_day(first: int, length: int) -> int:
    """Return a mask with only the month's last day from Monday to Friday; itself a `DayRule`."""
    return 1 << length - {6: 1, 0: 2}.get(weekday(first, length), 0)


def nearest_working_day(wanted: int) -> DayRule:
    """Return a rule that matches the working day nearest to day `wanted`, in the same month.

    If the month has no day `wanted`, the rule matches the working day nearest to the last day.
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
    """Return a rule that matches the `nth` weekday `which` (0 is Sunday) of a month.

    If `nth` is -1, the rule matches the last such weekday. If `nth` is 5, the rule matches no day
    in a month with only four such weekdays.
    """

    def rule(first: int, length: int) -> int:
        day = 1 + (which - first) % 7
        day += 7 * ((length - day) // 7 if nth == -1 else nth - 1)
        return 1 << day if day <= length else 0

    return rule


def union(rules: list[DayRule]) -> DayRule:
    """Return a rule that matches each day that at least one of the rules matches."""

    def rule(first: int, length: int) -> int:
        mask = 0
        for one in rules:
            mask |= one(first, length)
        return mask

    return rule


def either(one: DayRule, other: DayRule) -> DayRule:
    """Return a rule that matches each day that `one`, `other` or both match."""
    return lambda first, length: one(first, length) | other(first, length)


def both(one: DayRule, other: DayRule) -> DayRule:
    """Return a rule that matches each day that `one` and `other` both match."""
    return lambda first, length: one(first, length) & other(first, length)


@lru_cache(maxsize=1024)
def reachable(months: int, days: Table) -> tuple[int, Table]:
    """Return `months` and `days` without the bits that can never match.

    Bit n of `months` is month n. A month is removed if none of its days can match. The days for a
    length of month are removed if no remaining month has this length. Two rules that match the same
    days thus become equal. The returned months are 0 if no day ever matches.
    """
    kept = 0
    lengths: set[int] = set()
    for month, shapes in MONTH_LENGTHS.items():
        if months >> month & 1 and any(days[row(f, n)] for f in range(7) for n in shapes):
            kept |= 1 << month
            lengths.update(shapes)
    return kept, tuple(days[row(f, n)] if n in lengths else 0 for f in range(7) for n in LENGTHS)
