"""The next change of a zone's clock."""

from datetime import datetime, timedelta

import pytest

from beatd.schedules.clock_shift import next_clock_shift

HALF_A_YEAR = timedelta(days=183)
RESOLUTION = timedelta.resolution

# zone, now, moment of the change, seconds, what the clock shows before, and after
SHIFTS = [
    ("Europe/Berlin", "2026-11-28T12:00Z", "2027-03-28T01:00Z", 3600, "02:00", "03:00"),
    ("Europe/Berlin", "2027-03-28T00:59:59Z", "2027-03-28T01:00Z", 3600, "02:00", "03:00"),
    ("Europe/Berlin", "2027-03-28T01:00Z", None, 0, "", ""),  # the change itself is past
    ("Europe/Berlin", "2027-06-01T00:00Z", "2027-10-31T01:00Z", -3600, "03:00", "02:00"),
    ("Europe/Berlin", "2060-03-01T00:00Z", "2060-03-28T01:00Z", 3600, "02:00", "03:00"),
    ("Australia/Lord_Howe", "2026-11-28T12:00Z", "2027-04-03T15:00Z", -1800, "02:00", "01:30"),
    ("Asia/Shanghai", "2026-11-28T12:00Z", None, 0, "", ""),
    ("Asia/Shanghai", "1991-09-01T00:00Z", "1991-09-14T17:00Z", -3600, "02:00", "01:00"),  # last
    ("Pacific/Apia", "2011-12-01T00:00Z", "2011-12-30T10:00Z", 86400, "00:00", "00:00"),
    ("UTC", "2026-11-28T12:00Z", None, 0, "", ""),
]


@pytest.mark.parametrize(("tz", "now", "moment", "seconds", "shows", "then"), SHIFTS)
def test_the_next_change_of_the_clock(
    tz: str, now: str, moment: str | None, seconds: int, shows: str, then: str
) -> None:
    found = next_clock_shift(tz, datetime.fromisoformat(now), HALF_A_YEAR)
    if moment is None:
        assert found is None
        return
    assert found is not None
    assert found.moment == datetime.fromisoformat(moment)
    assert found.seconds == seconds
    assert (f"{found.shows:%H:%M}", f"{found.shows_then:%H:%M}") == (shows, then)


def test_a_change_at_the_end_of_the_time_counts() -> None:
    change = datetime.fromisoformat("2027-03-28T01:00Z")
    for within, found in [(timedelta(days=1), True), (timedelta(days=1) - RESOLUTION, False)]:
        shift = next_clock_shift("Europe/Berlin", change - timedelta(days=1), within)
        assert (shift is not None) is found
