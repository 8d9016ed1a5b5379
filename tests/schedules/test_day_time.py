"""A time of day stands for the newest or the next moment at which a clock shows it."""

from datetime import datetime

import pytest

from beatd.errors import ScheduleError
from beatd.schedules import parse_moment
from beatd.schedules.day_time import with_date

NOW = datetime.fromisoformat("2026-11-28T14:00:00+01:00")
BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("text", "newest", "coming"),
    [
        ("12:52", "2026-11-28T12:52:00", "2026-11-29T12:52:00"),
        ("12:52:07", "2026-11-28T12:52:07", "2026-11-29T12:52:07"),
        ("14:00", "2026-11-28T14:00:00", "2026-11-29T14:00:00"),
        (" 14:01 ", "2026-11-27T14:01:00", "2026-11-28T14:01:00"),
        ("23:59:59", "2026-11-27T23:59:59", "2026-11-28T23:59:59"),
        ("0:05", "2026-11-28T00:05:00", "2026-11-29T00:05:00"),
        ("2027-01-01T09:00", "2027-01-01T09:00", "2027-01-01T09:00"),
        ("2h", "2h", "2h"),
    ],
)
def test_the_date_is_that_of_the_newest_or_the_next_one(
    text: str, newest: str, coming: str
) -> None:
    assert with_date(text, BERLIN, NOW, coming=False) == newest
    assert with_date(text, BERLIN, NOW, coming=True) == coming


def test_the_day_is_that_of_the_zone() -> None:
    assert with_date("21:30", "Asia/Tokyo", NOW, coming=False) == "2026-11-28T21:30:00"
    assert with_date("22:30", "Asia/Tokyo", NOW, coming=False) == "2026-11-27T22:30:00"
    assert with_date("00:30", "Pacific/Auckland", NOW, coming=False) == "2026-11-29T00:30:00"


def test_a_time_that_the_clock_skips_is_the_first_instant_after_the_gap() -> None:
    now = datetime.fromisoformat("2027-03-28T12:00:00+02:00")
    moment = parse_moment(with_date("02:30", BERLIN, now, coming=False), BERLIN)
    assert moment == datetime.fromisoformat("2027-03-28T03:00:00+02:00")


@pytest.mark.parametrize("text", ["24:00", "12:60", "12:52:60", "99:99"])
def test_a_time_that_no_clock_shows_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError, match=f"^'{text}' is not a time of day; write it like 14:30"):
        with_date(text, BERLIN, NOW, coming=True)
