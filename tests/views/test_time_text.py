"""Moments in the last hours of year 9999, which some zones have no date for."""

from datetime import UTC, datetime

from beatd.views.next_runs import run_json
from beatd.views.pause_text import end_text
from beatd.views.time_text import moment_text, short_moment_text

LAST = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_a_moment_without_a_local_time_is_shown_in_utc() -> None:
    assert moment_text(LAST, "Europe/Berlin") == "9999-12-31 23:30:00 UTC"
    assert short_moment_text(LAST, "Europe/Berlin", NOW) == "9999-12-31 23:30:00"
    assert end_text(LAST, NOW, "Europe/Berlin") == "9999-12-31 23:30 UTC"
    assert run_json(LAST, "Europe/Berlin")["local"] == "9999-12-31T23:30:00+00:00"


def test_a_moment_is_shown_in_its_zone() -> None:
    assert moment_text(NOW, "Europe/Berlin") == "2026-11-28 13:00:00 CET"
