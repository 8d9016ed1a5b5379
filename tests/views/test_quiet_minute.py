"""The minute of the hour with the fewest runs."""

from datetime import UTC, datetime

from beatd.views.planned_ahead import PlannedAhead
from beatd.views.quiet_minute import QuietMinute, quiet_minute

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


def hours(start: datetime, **runs: int) -> PlannedAhead:
    """Six hours with one run in each minute, and these numbers in some: m37=2."""
    counts = [runs.get(f"m{(start.minute + place) % 60}", 1) for place in range(360)]
    return PlannedAhead(start, 60, tuple(counts), complete=True)


def test_the_minute_with_the_fewest_runs() -> None:
    found = quiet_minute(hours(NOON, m0=50, m37=0), "UTC")
    assert found == QuietMinute(37, 0, 0, 300)


def test_the_hours_may_begin_at_any_minute() -> None:
    found = quiet_minute(hours(NOON.replace(minute=41), m0=50, m37=0), "UTC")
    assert found == QuietMinute(37, 0, 0, 300)


def test_minutes_are_those_of_the_zone() -> None:
    found = quiet_minute(hours(NOON, m0=50, m37=0), "Asia/Kathmandu")  # 5:45 ahead of UTC
    assert found == QuietMinute(22, 0, 45, 300)


def test_of_equally_quiet_minutes_the_one_among_quiet_ones_is_chosen() -> None:
    found = quiet_minute(hours(NOON, m0=50, m10=0, m9=9, m11=9, m20=0, m21=0, m19=0), "UTC")
    assert found is not None and found.minute == 20


def test_there_is_none_if_all_minutes_are_alike() -> None:
    assert quiet_minute(hours(NOON), "UTC") is None
