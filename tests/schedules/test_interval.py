"""An exact grid in absolute time, the same for whoever asks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beatd.schedules import interval, parse_moment, schedule_from
from beatd.schedules.interval import Interval
from tests.schedules.wall_clock import wall

GRID = [
    # every, start, asked from, the next runs: multiples since the epoch, or since start
    ("30s", None, "2026-01-01T00:00:10", ["2026-01-01T00:00:30+00:00", "2026-01-01T00:01+00:00"]),
    ("30s", None, "2026-01-01T00:00:30", ["2026-01-01T00:01+00:00"]),
    ("7m", None, "2026-01-01T00:00", ["2026-01-01T00:07+00:00", "2026-01-01T00:14+00:00"]),
    ("1d", None, "2026-03-29T00:00", ["2026-03-30T00:00+00:00"]),
    ("1w", None, "2026-01-01T12:00", ["2026-01-08T00:00+00:00"]),
    ("1d", "2026-01-01T09:30", "2026-03-29T00:00", ["2026-03-29T09:30+00:00"]),
    ("3d", "2026-01-01T00:00", "2026-01-05T00:00", ["2026-01-07T00:00+00:00"]),
    # a start ahead anchors the grid before it as well
    ("1h", "2030-01-01T00:20", "2026-01-01T00:00", ["2026-01-01T00:20+00:00"]),
    ("0.5", None, "2026-01-01T00:00", ["2026-01-01T00:00:00.500000+00:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("every", "start", "asked", "runs"), GRID)
def test_the_grid_is_as_the_table_says(every, start, asked, runs):
    schedule = interval(every, start=parse_moment(start) if start else None)
    assert wall(schedule, "UTC", asked, len(runs)) == runs


@given(
    st.integers(1000, 10**13),
    st.integers(0, 10**13),
    st.datetimes(datetime(1, 1, 3), datetime(9000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
@settings(max_examples=200, deadline=None, database=None)
def test_the_next_point_is_on_the_grid_and_no_further_than_a_period(period, phase, moment):
    length = timedelta(microseconds=period)
    schedule = interval(length, phase=timedelta(microseconds=phase))
    point = schedule.next_after(moment)
    assert moment < point <= moment + length
    since = point - datetime(1970, 1, 1, tzinfo=UTC) - timedelta(microseconds=phase)
    assert since % length == timedelta(0)


def test_a_thousand_steps_do_not_drift():
    moment = start = datetime(2026, 1, 1, tzinfo=UTC)
    schedule = interval("0.3")
    for _ in range(1000):
        moment = schedule.next_after(moment)
    assert moment - start == timedelta(seconds=300)


def spread(name: str) -> int:
    schedule = schedule_from({"every": "5m", "spread": True}, name=name)
    assert isinstance(schedule, Interval)
    return schedule.offset


def test_spread_is_stable_and_within_the_period():
    offsets = {spread(f"job {n}") for n in range(500)}
    assert len(offsets) > 490
    assert max(offsets) < 300_000_000
    assert all(offset % 1000 == 0 for offset in offsets)
    assert spread("nightly") == 244_689_000


SPREADS = [
    # every, name, the delay in microseconds: of whole milliseconds from a second on
    ("1s", "nightly", 689_000),
    ("999ms", "nightly", 558_572),
    ("5m", "job \udcff", 243_000_000),  # a name in bytes that are not UTF-8
]


@pytest.mark.parametrize(("every", "name", "offset"), SPREADS)
def test_a_spread_is_the_same_in_every_process(every, name, offset):
    assert interval(every, spread=True, name=name).offset == offset


WRITTEN = [
    (timedelta(minutes=1), None, {"every": "1m"}),
    ("60s", "7000ms", {"every": "60s", "phase": "7000ms"}),
    ("60s", 7, {"every": "60s", "phase": "7s"}),
    ("60s", timedelta(seconds=7), {"every": "60s", "phase": "7s"}),
    ({"minutes": 1}, {"seconds": 7}, {"every": {"minutes": 1}, "phase": "7s"}),
]


@pytest.mark.parametrize(("every", "phase", "plain"), WRITTEN)
def test_an_interval_is_written_as_it_was_where_yaml_can(every, phase, plain):
    assert interval(every, phase=phase).plain() == plain


def test_a_phase_shifts_the_grid():
    assert wall(interval("5m", phase="7s"), "UTC", "2026-01-01T00:00", 2) == [
        "2026-01-01T00:00:07+00:00",
        "2026-01-01T00:05:07+00:00",
    ]
