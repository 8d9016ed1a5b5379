"""The days of a month that a rule means, beside a search through a calendar of that month."""

from collections.abc import Callable
from functools import partial

import pytest

from beatd.schedules import days

MONTHS = [(first, length) for first in range(7) for length in days.LENGTHS]
Days = dict[int, int]  # the weekday of each day of a month; 0 is Sunday


def calendar(first: int, length: int) -> Days:
    return {day: (first + day - 1) % 7 for day in range(1, length + 1)}


def workdays(month: Days) -> list[int]:
    return [day for day, weekday in month.items() if weekday not in (0, 6)]


def nearest(wanted: int) -> Callable[[Days], set[int]]:
    def found(month: Days) -> set[int]:
        day = min(wanted, len(month))
        return {min(workdays(month), key=lambda other: abs(other - day))}

    return found


def nth(which: int, number: int) -> Callable[[Days], set[int]]:
    def found(month: Days) -> set[int]:
        of_it = [day for day, weekday in month.items() if weekday == which]
        if number == -1:
            return {of_it[-1]}
        return set(of_it[number - 1 : number])

    return found


RULES: dict[str, tuple[Callable[[], days.DayRule], Callable[[Days], set[int]]]] = {
    "L": (lambda: days.last_day, lambda month: {len(month)}),
    "LW": (lambda: days.last_working_day, lambda month: {workdays(month)[-1]}),
    **{f"{day}W": (partial(days.nearest_working_day, day), nearest(day)) for day in range(1, 32)},
    **{
        f"{which}#{number}": (partial(days.nth_weekday, which, number), nth(which, number))
        for which in range(7)
        for number in (1, 2, 3, 4, 5, -1)
    },
    "2,30": (lambda: days.on_days(1 << 2 | 1 << 30), lambda month: {2, 30} & set(month)),
    "sun,fri": (
        lambda: days.on_weekdays(1 << 0 | 1 << 5),
        lambda month: {day for day, weekday in month.items() if weekday in (0, 5)},
    ),
    "1,L": (
        lambda: days.union([days.on_days(1 << 1), days.last_day]),
        lambda month: {1, len(month)},
    ),
    "13 or fri": (
        lambda: days.either(days.on_days(1 << 13), days.on_weekdays(1 << 5)),
        lambda month: {13} | {day for day, weekday in month.items() if weekday == 5},
    ),
    "13 and fri": (
        lambda: days.both(days.on_days(1 << 13), days.on_weekdays(1 << 5)),
        lambda month: {13} & {day for day, weekday in month.items() if weekday == 5},
    ),
}


@pytest.mark.parametrize(("make", "expected"), RULES.values(), ids=RULES)
def test_a_rule_means_these_days_of_each_month(
    make: Callable[[], days.DayRule], expected: Callable[[Days], set[int]]
) -> None:
    table = days.table(make())
    assert len(table) == len(MONTHS)
    for first, length in MONTHS:
        mask = table[days.row(first, length)]
        found = {day for day in range(40) if mask >> day & 1}
        assert found == expected(calendar(first, length)), (first, length)


EVERY_MONTH = sum(1 << month for month in range(1, 13))
REACHABLE = [
    # months, the day, the months that have it
    (EVERY_MONTH, 28, set(range(1, 13))),
    (EVERY_MONTH, 30, {1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}),
    (EVERY_MONTH, 31, {1, 3, 5, 7, 8, 10, 12}),
    (1 << 2 | 1 << 4, 29, {2, 4}),
    (1 << 2, 30, set()),
]


@pytest.mark.parametrize(("months", "day", "kept"), REACHABLE)
def test_a_month_without_the_day_is_left_out(months: int, day: int, kept: set[int]) -> None:
    table = days.table(days.on_days(1 << day))
    found, of_them = days.reachable(months, table)
    assert {month for month in range(14) if found >> month & 1} == kept
    lengths = {length for month in kept for length in days.MONTH_LENGTHS[month]}
    for first, length in MONTHS:
        row = days.row(first, length)
        assert of_them[row] == (table[row] if length in lengths else 0)
