"""The years, months, weeks and days that a recurrence rule counts, up to the end of 9999."""

from datetime import date, datetime

import pytest
from dateutil import rrule as dateutil

from beatd.schedules.day_grid import DayGrid, every
from beatd.schedules.periods import Periods, until_last_day
from beatd.schedules.year_days import LAST_DAY

START = datetime(2026, 1, 7, 9)  # noqa: DTZ001  # a Wednesday
SUNDAY = 6


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


END = LAST_DAY + 1
BOUNDS = [
    # frequency, a day in the period, its first day, the day after its last
    (dateutil.YEARLY, "2028-02-29", day("2028-01-01"), day("2029-01-01")),
    (dateutil.YEARLY, "9999-12-31", day("9999-01-01"), END),
    (dateutil.MONTHLY, "2028-02-29", day("2028-02-01"), day("2028-03-01")),
    (dateutil.MONTHLY, "2028-12-01", day("2028-12-01"), day("2029-01-01")),
    (dateutil.MONTHLY, "9999-12-31", day("9999-12-01"), END),
    (dateutil.WEEKLY, "2026-01-17", day("2026-01-11"), day("2026-01-18")),
    (dateutil.WEEKLY, "2026-01-18", day("2026-01-18"), day("2026-01-25")),
    (dateutil.WEEKLY, "2026-01-08", day("2026-01-07"), day("2026-01-11")),  # from the start on
    (dateutil.DAILY, "2026-01-08", day("2026-01-08"), day("2026-01-09")),
    (dateutil.DAILY, "9999-12-31", LAST_DAY, END),
]


@pytest.mark.parametrize(("frequency", "inside", "first", "end"), BOUNDS)
def test_a_period_begins_and_ends_here(frequency: int, inside: str, first: int, end: int) -> None:
    periods = Periods(frequency, 1, START, SUNDAY)
    assert periods.bounds(periods.number(day(inside))) == (first, end)


@pytest.mark.parametrize("frequency", [0, 1, 2, 3])
def test_the_period_after_the_last_has_no_first_day(frequency: int) -> None:
    periods = Periods(frequency, 1, START, SUNDAY)
    assert periods.bounds(periods.number(LAST_DAY) + 1)[0] is None


ALLOWED = [
    # frequency, interval, asked from, the first day of a period that is allowed
    (dateutil.YEARLY, 2, "2026-05-01", "2026-05-01"),
    (dateutil.YEARLY, 2, "2027-05-01", "2028-01-01"),
    (dateutil.YEARLY, 3, "2027-05-01", "2029-01-01"),
    (dateutil.YEARLY, 3, "2028-05-01", "2029-01-01"),
    (dateutil.MONTHLY, 2, "2026-02-01", "2026-03-01"),
    (dateutil.MONTHLY, 5, "2026-12-31", "2027-04-01"),
    (dateutil.WEEKLY, 2, "2026-01-10", "2026-01-10"),
    (dateutil.WEEKLY, 2, "2026-01-11", "2026-01-18"),
    (dateutil.WEEKLY, 2, "2026-01-17", "2026-01-18"),
    (dateutil.WEEKLY, 2, "2026-01-24", "2026-01-24"),
    (dateutil.DAILY, 10, "2026-01-08", "2026-01-17"),
    (dateutil.DAILY, 10, "2026-01-17", "2026-01-17"),
]


@pytest.mark.parametrize(("frequency", "interval", "asked", "found"), ALLOWED)
def test_every_second_period_counts_from_the_start(
    frequency: int, interval: int, asked: str, found: str
) -> None:
    assert Periods(frequency, interval, START, SUNDAY).day_at_or_after(day(asked)) == day(found)


@pytest.mark.parametrize("weekday", range(7))
def test_the_first_week_is_the_one_of_the_start(weekday: int) -> None:
    periods = Periods(dateutil.WEEKLY, 1, START, weekday)
    first = [n for n in range(START.toordinal(), START.toordinal() + 8) if not periods.number(n)]
    assert date.fromordinal(first[-1] + 1).weekday() == weekday
    assert 1 <= len(first) <= 7


def test_the_last_day_is_the_last() -> None:
    assert until_last_day(LAST_DAY) == LAST_DAY == date.max.toordinal()
    assert until_last_day(LAST_DAY + 1) is None


@pytest.mark.parametrize(
    ("interval", "size", "mask"),
    [(1, 3, 0b111), (2, 6, 0b010101), (3, 6, 0b001001), (6, 6, 1), (9, 6, 1), (5, 6, 0b100001)],
)
def test_every_nth_bit_is_set(interval: int, size: int, mask: int) -> None:
    assert every(interval, size) == mask


GRIDS = [
    # size, interval, allowed, asked from, found
    (24, 1, range(24), 5, 5),
    (24, 1, range(1, 24), 0, 1),
    (24, 1, range(23), 23, None),
    (24, 1, [3, 9], 4, 9),
    (24, 1, [3, 9], 10, None),
    (24, 2, [3, 9, 10], 4, 10),
    (24, 2, [3, 9], 4, None),
    (24, 2, [23], 1, 23),
    (24, 7, [23], 2, 23),
    (24, 7, [22], 2, None),
    (8, 1, [7], 0, 7),
]


@pytest.mark.parametrize(("size", "interval", "allowed", "asked", "found"), GRIDS)
def test_the_first_allowed_unit_of_a_day_in_steps(
    size: int, interval: int, allowed: list[int], asked: int, found: int | None
) -> None:
    assert DayGrid(size, interval, allowed).at_or_after(asked) == found
