"""How a moment is written: its fraction, and the last hours of year 9999."""

from datetime import UTC, datetime, timedelta

from beatd.schedules.moment import fraction_digits
from beatd.views.next_runs import run_json
from beatd.views.pause_text import end_text
from beatd.views.time_text import moment_text, short_moment_text
from beatd.why.time_words import TimeWords

LAST = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_a_moment_without_a_local_time_is_shown_in_utc() -> None:
    assert moment_text(LAST, "Europe/Berlin") == "9999-12-31 23:30:00 UTC"
    assert short_moment_text(LAST, "Europe/Berlin", NOW) == "9999-12-31 23:30:00"
    assert end_text(LAST, NOW, "Europe/Berlin") == "9999-12-31 23:30 UTC"
    assert run_json(LAST, "Europe/Berlin")["local"] == "9999-12-31T23:30:00+00:00"


def test_a_moment_is_shown_in_its_zone() -> None:
    assert moment_text(NOW, "Europe/Berlin") == "2026-11-28 13:00:00 CET"


def test_a_fraction_has_three_digits_or_six_and_a_whole_second_none() -> None:
    quarter, tiny = NOW + timedelta(seconds=0.25), NOW + timedelta(microseconds=120)
    assert moment_text(quarter, "UTC") == "2026-11-28 12:00:00.250 UTC"
    assert moment_text(tiny, "UTC") == "2026-11-28 12:00:00.000120 UTC"
    assert [fraction_digits(found) for found in ([], [NOW], [NOW, quarter], [tiny])] == [0, 0, 3, 6]
    assert moment_text(NOW, "UTC", 3) == "2026-11-28 12:00:00.000 UTC"
    words = TimeWords(UTC)
    assert words.at(quarter) == moment_text(quarter, "UTC")
    assert words.about(tiny) == moment_text(NOW, "UTC")
