"""beatd next without a name: the next runs of all entries, in the order in which they come."""

from datetime import UTC, datetime

import pytest

from tests.cli.conftest import Here
from tests.cli.test_entry_warnings import App, project

__all__ = ["project"]


@pytest.fixture
def several(here: Here) -> Here:
    """Three entries that run, one that is paused, one that is disabled and one that is over."""
    here("add", "a", "--task", "t", "--cron", "0 * * * *", "--tz", "Asia/Tokyo")
    here("add", "b", "--task", "t", "--cron", "0,30 * * * *")
    here("add", "c", "--task", "t", "--at", "2099-01-01T09:00Z")
    here("add", "quiet", "--task", "t", "--every", "1m")
    here("pause", "quiet")
    here("add", "off", "--task", "t", "--every", "1m", "--disabled")
    here("add", "once", "--task", "t", "--cron", "0 * * * *", "--max-runs", "1")
    return here


def test_the_runs_of_all_entries_are_merged(several: Here) -> None:
    words = ("next", "-n", 6, "--from", "2098-12-31T23:10")  # Europe/Berlin
    found = [(one["entry"], one["utc"]) for one in several.json(*words)]
    assert found == [
        ("b", "2098-12-31T22:30:00Z"),
        ("a", "2098-12-31T23:00:00Z"),
        ("b", "2098-12-31T23:00:00Z"),
        ("once", "2098-12-31T23:00:00Z"),
        ("b", "2098-12-31T23:30:00Z"),
        ("a", "2099-01-01T00:00:00Z"),
    ]
    assert several.json(*words)[1]["local"] == "2099-01-01T08:00:00+09:00"
    header, _, first, second, *_ = several(*words).out.splitlines()
    assert header.split() == ["next", "in", "entry"]
    assert first.startswith("2098-12-31 23:30:00 CET   in ") and first.endswith("  b")
    assert second.startswith("2099-01-01 00:00:00 CET   in ") and second.endswith("  a")


def test_a_zone_that_is_asked_for_counts(several: Here) -> None:
    words = ("next", "-n", 1, "--tz", "UTC", "--from", "2098-12-31T22:10")
    assert several.json(*words) == [
        {"entry": "b", "local": "2098-12-31T22:30:00+00:00", "utc": "2098-12-31T22:30:00Z"}
    ]
    assert "2098-12-31 22:30:00 UTC" in several(*words).out


def test_it_begins_now_and_shows_five(several: Here) -> None:
    found = [datetime.fromisoformat(one["utc"]) for one in several.json("next")]
    assert len(found) == 5 and found == sorted(found) and found[0] > datetime.now(UTC)


def test_what_is_declared_counts_before_the_store(several: Here) -> None:
    several.config("entries:\n  b: {task: t, every: 1s}\n  quiet: {task: t, every: 1s}\n")
    assert {one["entry"] for one in several.json("next", "-n", 10)} == {"b"}


def test_without_a_store_what_is_declared_is_shown(here: Here) -> None:
    here.config("entries:\n  x: {task: t, every: 1s}\n")
    assert [one["entry"] for one in here.json("next", "-n", 2)] == ["x", "x"]


def test_what_the_app_declares_is_shown_before_a_daemon_applied_it(
    here: Here, project: App
) -> None:
    project("next_app")
    path = here.folder / "next_app.py"
    schedule = {"tidy": {"task": "tasks.ping", "schedule": 60}}
    path.write_text(f"{path.read_text()}\napp.conf.beat_schedule = {schedule!r}\n")
    assert [one["entry"] for one in here.json("next", "-n", 1)] == ["tidy"]


def test_where_no_entry_runs_it_says_so(here: Here) -> None:
    ended = here("next")
    assert (ended.out, ended.err) == ("", "no entry has a next run\n")
    assert here.json("next") == []


def test_options_of_a_schedule_need_one(here: Here) -> None:
    said = here("next", "--start", "2027-01-01", code=2).line
    assert "give --cron, --every or another schedule, or names of entries" in said


def test_the_zone_of_from_is_told_where_tables_have_another(several: Here) -> None:
    words = ("next", "-n", 1, "--from")
    out = several(*words, "2098-12-31T23:10", "a").out
    assert "\nafter 2098-12-31 23:10:00 JST, in Asia/Tokyo\n" in out
    assert "2099-01-01 07:00:00" in several(*words, "2098-12-31 22:10:00 CET", "a").out
    assert "after" not in several(*words, "2098-12-31T23:10", "b").out
