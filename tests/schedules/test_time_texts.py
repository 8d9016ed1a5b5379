"""Lengths and moments as commands, pages and messages show them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from beatd.schedules import zone
from beatd.schedules.duration import lateness_text, length_text, runtime
from beatd.schedules.moment import (
    format_moment,
    fraction_digits,
    in_zone,
    to_milliseconds,
    wall_text,
)

LENGTHS = [
    (0, ""),
    (0.999, ""),
    (1, "1 s"),
    (59.9, "59 s"),
    (60, "1 min"),
    (61, "1 min 1 s"),
    (3599, "59 min 59 s"),
    (3600, "1 h"),
    (3601, "1 h"),  # its second unit would be minutes, and there are none
    (3661, "1 h 1 min"),
    (11_520, "3 h 12 min"),
    (86_399, "23 h 59 min"),
    (86_400, "1 d"),
    (86_460, "1 d"),
    (90_061, "1 d 1 h"),
    (-75, "1 min 15 s"),
]


@pytest.mark.parametrize(("seconds", "text"), LENGTHS)
def test_a_length_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert length_text(seconds) == text


LATENESSES = [
    (0, "0.000 s"),
    (3.2144, "3.214 s"),
    (59.9, "59.900 s"),
    (60, "1 min"),
    (60.9, "1 min"),
    (11_520, "3 h 12 min"),
]


@pytest.mark.parametrize(("seconds", "text"), LATENESSES)
def test_a_lateness_has_milliseconds_below_a_minute(seconds: float, text: str) -> None:
    assert lateness_text(seconds) == text


RUNTIMES = [
    (0.0004, "0.4 ms"),
    (0.0099, "9.9 ms"),
    (0.01, "10 ms"),
    (0.012, "12 ms"),
    (0.999, "999 ms"),
    (1, "1.0 s"),
    (3.44, "3.4 s"),
    (59.9, "59.9 s"),
    (60, "1 min"),
    (60.9, "1 min"),
    (11_520, "3 h 12 min"),
]


@pytest.mark.parametrize(("seconds", "text"), RUNTIMES)
def test_a_runtime_is_as_exact_as_people_need_it(seconds: float, text: str) -> None:
    assert runtime(seconds) == text


NINE = datetime(2027, 1, 1, 9, tzinfo=UTC)
HALF = NINE.replace(microsecond=500_000)
FINE = NINE.replace(microsecond=500_001)
FINEST = NINE.replace(microsecond=1)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NINE, "2027-01-01T09:00:00Z"),
        (HALF, "2027-01-01T09:00:00.500000Z"),
        (NINE.astimezone(timezone(timedelta(hours=8))), "2027-01-01T09:00:00Z"),
    ],
)
def test_a_moment_is_written_in_utc(moment: datetime, text: str) -> None:
    assert format_moment(moment) == text


@pytest.mark.parametrize(
    ("moment", "digits", "text"),
    [
        (NINE, 0, "2027-01-01 09:00:00"),
        (NINE, 3, "2027-01-01 09:00:00.000"),
        (NINE, 6, "2027-01-01 09:00:00.000000"),
        (HALF, 0, "2027-01-01 09:00:00.500"),
        (HALF, 3, "2027-01-01 09:00:00.500"),
        (HALF, 6, "2027-01-01 09:00:00.500000"),
        (FINE, 0, "2027-01-01 09:00:00.500001"),
        (FINE, 3, "2027-01-01 09:00:00.500001"),
    ],
)
def test_a_clock_has_as_many_digits_as_its_column(moment: datetime, digits: int, text: str) -> None:
    assert wall_text(moment, digits) == text


@pytest.mark.parametrize(
    ("moments", "digits"),
    [
        ([], 0),
        ([NINE], 0),
        ([NINE, HALF], 3),
        ([HALF, FINE], 6),
        ([FINE, HALF], 6),
        ([FINEST], 6),
        ([NINE.replace(microsecond=1000)], 3),
        ([NINE.replace(microsecond=1001)], 6),
    ],
)
def test_a_column_needs_the_digits_of_its_finest_moment(
    moments: list[datetime], digits: int
) -> None:
    assert fraction_digits(moments) == digits


@pytest.mark.parametrize(
    ("microsecond", "kept"), [(0, 0), (999, 0), (1000, 1000), (1001, 1000), (999_999, 999_000)]
)
def test_a_moment_is_cut_to_its_millisecond(microsecond: int, kept: int) -> None:
    moment = NINE.replace(microsecond=microsecond)
    assert to_milliseconds(moment) == NINE.replace(microsecond=kept)


def test_a_moment_is_in_utc_where_the_year_ends_with_the_calendar() -> None:
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    assert in_zone(last, zone("Asia/Tokyo")).isoformat() == "9999-12-31T23:59:00+00:00"
    assert in_zone(NINE, zone("Asia/Tokyo")).isoformat() == "2027-01-01T18:00:00+09:00"
