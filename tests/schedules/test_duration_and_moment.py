"""Durations and moments as people write them."""

from datetime import UTC, date, datetime, timedelta

import pytest
import pytz
from hypothesis import given, settings
from hypothesis import strategies as st

from beatd.schedules import format_duration, parse_duration, parse_moment, zone

DURATIONS = [
    # written, seconds, written back
    ("30s", 30, "30s"),
    ("5m", 300, "5m"),
    ("1h30m", 5400, "1h30m"),
    ("90m", 5400, "1h30m"),
    ("1d", 86400, "1d"),
    ("2w", 14 * 86400, "14d"),
    ("90", 90, "1m30s"),
    (90, 90, "1m30s"),
    (0.5, 0.5, "0.5s"),
    (0.1, 0.1, "0.1s"),
    ("0.5", 0.5, "0.5s"),
    (".5s", 0.5, "0.5s"),
    ("1.5h", 5400, "1h30m"),
    ("250ms", 0.25, "0.25s"),
    ("1us", 0.000001, "0.000001s"),
    ("1 h 30 min", 5400, "1h30m"),
    ("2 Hours, 5 minutes", 7500, "2h5m"),
    ({"minutes": 5}, 300, "5m"),
    ({"hours": 1, "seconds": 0.5}, 3600.5, "1h0.5s"),
    (timedelta(days=2, microseconds=7), 172800.000007, "2d0.000007s"),
    ("0s", 0, "0s"),
    # a number is rounded to the next microsecond, the middle to the even one
    ({"milliseconds": 0.0015}, 0.000002, "0.000002s"),
    ({"microseconds": 0.6}, 0.000001, "0.000001s"),
    ({"microseconds": 0.4}, 0, "0s"),
    ({"weeks": 1, "days": 1}, 8 * 86400, "8d"),
]


@pytest.mark.parametrize(("written", "seconds", "back"), DURATIONS, ids=str)
def test_a_duration_is_read_exactly(written, seconds, back):
    assert parse_duration(written) == timedelta(seconds=seconds)
    assert format_duration(parse_duration(written)) == back


@given(st.timedeltas(timedelta(0), timedelta(days=999_999_999)))
@settings(max_examples=200, deadline=None, database=None)
def test_every_duration_survives_being_written(length):
    assert parse_duration(format_duration(length)) == length


MOMENTS = [
    # written, zone, UTC
    ("2027-01-01T09:00:00+08:00", "Europe/Berlin", "2027-01-01T01:00:00"),
    ("2027-01-01T09:00:00Z", "Europe/Berlin", "2027-01-01T09:00:00"),
    ("2027-01-01T09:00:00.25Z", "UTC", "2027-01-01T09:00:00.250000"),
    ("2027-01-01 09:00", "Europe/Berlin", "2027-01-01T08:00:00"),
    ("2027-07-01 09:00", "Europe/Berlin", "2027-07-01T07:00:00"),
    ("2027-01-01", "Asia/Shanghai", "2026-12-31T16:00:00"),
    ("20270101T090000Z", "UTC", "2027-01-01T09:00:00"),
    (" 2027-01-01T09:00Z ", "UTC", "2027-01-01T09:00:00"),
    (date(2027, 1, 1), "Asia/Shanghai", "2026-12-31T16:00:00"),
    (datetime(2027, 1, 1, 9), "Asia/Shanghai", "2027-01-01T01:00:00"),  # noqa: DTZ001
    (datetime(2027, 1, 1, 9, tzinfo=UTC), "Asia/Shanghai", "2027-01-01T09:00:00"),
    # a time that does not exist is the first instant after the gap
    ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00:00"),
    ("2026-03-29T02:30:15.5", "Europe/Berlin", "2026-03-29T01:00:00"),
    ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T10:00:00"),
    # a doubled one is the first
    ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00"),
    ("2026-10-25T02:30:00.5", "Europe/Berlin", "2026-10-25T00:30:00.500000"),
    ("2026-10-25T02:30+01:00", "Europe/Berlin", "2026-10-25T01:30:00"),
]


@pytest.mark.parametrize(("written", "tz", "utc"), MOMENTS, ids=str)
def test_a_moment_is_read_on_the_wall_clock_of_its_zone(written, tz, utc):
    moment = parse_moment(written, tz)
    assert moment.tzinfo is UTC
    assert moment.replace(tzinfo=None).isoformat() == utc


@given(
    st.datetimes(datetime(1902, 1, 1), datetime(2037, 12, 1)),  # noqa: DTZ001
    st.sampled_from(pytz.all_timezones),
)
@settings(max_examples=200, deadline=None, database=None)
def test_pytz_reads_any_wall_clock_time_alike(local, tz):
    try:
        theirs = pytz.timezone(tz).localize(local, is_dst=None)
    except pytz.AmbiguousTimeError:
        theirs = min(pytz.timezone(tz).localize(local, is_dst=dst) for dst in (True, False))
    except pytz.NonExistentTimeError:
        return
    assert parse_moment(local, tz) == theirs


def test_a_zone_is_found_in_any_case_and_from_any_zone_object():
    assert str(zone("europe/berlin")) == "Europe/Berlin"
    assert zone(pytz.timezone("Europe/Berlin")) is zone("Europe/Berlin")
    assert zone(UTC) is zone("UTC")
