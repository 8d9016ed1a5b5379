"""The days of a year that a part of a recurrence rule means, beside a walk through that year."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from dateutil import rrule as dateutil

from beatd.schedules.steps import Steps
from beatd.schedules.year_days import YearDays

# Each kind of year, most of them several times: they share what is computed for the first.
YEARS = [*range(1999, 2105), 2399, 2400, 9990]


def days_of(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def found(year: int, part: str, *values: Any, wkst: int = 0, in_month: bool = True) -> list[date]:
    days = YearDays({part: values}, wkst, nth_in_month=in_month)
    mask = days.mask(year, Steps())
    return [date(year, 1, 1) + timedelta(n) for n in range(mask.bit_length()) if mask >> n & 1]


def weeks_of(year: int, wkst: int) -> dict[int, list[date]]:
    """The days of a year by the number of their week, from the begin and from the end."""
    weeks = defaultdict(list)
    for day in days_of(year):
        fourth = day - timedelta((day.weekday() - wkst) % 7) + timedelta(3)
        number = (fourth.timetuple().tm_yday - 1) // 7 + 1
        weeks[number].append(day)
        left, later = 0, fourth + timedelta(7)
        while later.year == fourth.year:
            left, later = left + 1, later + timedelta(7)
        weeks[-1 - left].append(day)
    return weeks


@pytest.mark.parametrize("wkst", [0, 3, 6])
def test_a_week_belongs_to_the_year_of_its_fourth_day(wkst: int) -> None:
    for year in YEARS:
        weeks = weeks_of(year, wkst)
        for number in (1, 2, 27, 51, 52, 53, -1, -2, -27, -51, -52, -53):
            assert found(year, "byweekno", number, wkst=wkst) == weeks[number], (year, number)


@pytest.mark.parametrize("number", [1, 2, 60, 365, 366, -1, -2, -60, -365, -366])
def test_a_day_of_the_year_counts_from_either_end(number: int) -> None:
    for year in YEARS:
        days = list(days_of(year))
        places = {n: day for n, day in enumerate(days, 1)}
        places |= {n - len(days): day for n, day in enumerate(days)}
        assert found(year, "byyearday", number) == ([places[number]] if number in places else [])


@pytest.mark.parametrize("number", [1, 28, 29, 30, 31, -1, -28, -29, -31])
def test_a_day_of_the_month_counts_from_either_end(number: int) -> None:
    for year in YEARS:
        left = {
            day: date(year + day.month // 12, day.month % 12 + 1, 1) - day for day in days_of(year)
        }
        expected = [day for day in left if number in (day.day, -left[day].days)]
        assert found(year, "bymonthday", number) == expected


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6, 52, 53, -1, -2, -5, -6, -52, -53])
@pytest.mark.parametrize("in_month", [True, False])
def test_an_nth_weekday_counts_in_each_month_or_in_the_year(number: int, in_month: bool) -> None:
    for year in YEARS:
        groups = defaultdict(list)
        for day in days_of(year):
            if day.weekday() == 4:
                groups[day.month if in_month else 0].append(day)
        place = number - 1 if number > 0 else number
        expected = [days[place] for days in groups.values() if -len(days) <= place < len(days)]
        assert found(year, "byweekday", dateutil.FR(number), in_month=in_month) == expected


def test_parts_are_met_together() -> None:
    parts = {"bymonth": (2, 12), "byweekday": (dateutil.FR(-1), dateutil.MO)}
    days = YearDays(parts, 0, nth_in_month=True)
    mask = days.mask(2028, Steps())
    expected = [
        day
        for day in days_of(2028)
        if day.month in (2, 12)
        and (day.weekday() == 0 or (day.weekday() == 4 and (day + timedelta(7)).month != day.month))
    ]
    assert [date(2028, 1, 1) + timedelta(n) for n in range(366) if mask >> n & 1] == expected
    assert not mask >> 366


SEARCHES = [
    # the days of a rule, asked from, the last day, found
    ({"byyearday": (1,)}, "2026-01-02", "2027-01-01", "2027-01-01"),
    ({"byyearday": (1,)}, "2026-01-02", "2026-12-31", None),
    ({"byyearday": (366,)}, "2026-01-01", "2030-01-01", "2028-12-31"),
    ({"byyearday": (366,)}, "2028-12-31", "2028-12-31", "2028-12-31"),
    ({"byyearday": (366,)}, "2028-01-01", "2028-12-30", None),
    ({}, "2026-01-02", "2026-01-02", "2026-01-02"),
    ({}, "2026-01-02", "2026-01-01", None),
]


@pytest.mark.parametrize(("parts", "asked", "last", "expected"), SEARCHES)
def test_the_first_day_up_to_the_last(
    parts: dict[str, tuple[int, ...]], asked: str, last: str, expected: str | None
) -> None:
    days = YearDays(parts, 0, nth_in_month=True)
    first, end = (date.fromisoformat(day).toordinal() for day in (asked, last))
    day = days.at_or_after(first, end, Steps())
    assert (day and date.fromordinal(day).isoformat()) == expected
