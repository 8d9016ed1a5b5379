"""The moments that celery's tests of `tick` demand, demanded of beatd's schedules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from celery.schedules import crontab, solar

from beatd.entry import Entry
from beatd.sources.app import App
from tests.fake_clock import FakeClock
from tests.fleet import Fleet


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def declared(schedules: dict[str, Any], relative: bool = False, **settings: Any) -> list[Entry]:
    app = Celery("proj", broker="memory://", set_as_current=False)
    app.conf.update(result_expires=None, **settings)
    app.conf.beat_schedule = {
        name: {"task": name, "schedule": when, "relative": relative}
        for name, when in schedules.items()
    }
    reading = App(app, shown="proj", name="config", clock=FakeClock()).read()
    assert not reading.problems
    return list(reading.declared.entries)


def late(entries: list[Entry], since: str, now: str) -> Fleet:
    """Return daemons whose first tick is at `now`, with entries that were planned at `since`."""
    fleet = Fleet(FakeClock(f"{since}+00:00"))
    for entry in entries:
        fleet.put(entry)
    fleet.clock.move_to(at(f"{now}+00:00"))
    fleet.live([fleet.daemon()], fleet.clock.now())
    return fleet


@pytest.mark.parametrize(
    ("now", "last", "after_sunrise"),
    [
        ("2026-03-08T01:30:00-05:00", "2026-03-07T03:00:00-05:00", "2026-03-08T03:08:00-04:00"),
        ("2026-11-01T01:45:00-04:00", "2026-10-31T03:00:00-04:00", "2026-11-01T01:41:00-05:00"),
    ],
    ids=["spring-forward", "fall-back"],
)
def test_a_sunrise_is_found_across_a_change_of_the_clock(
    now: str, last: str, after_sunrise: str
) -> None:
    pytest.importorskip("ephem")
    (entry,) = declared({"sun": solar("sunrise", 0, -15)}, timezone="America/New_York")
    sunrise = entry.schedule.next_after(at(last))
    assert sunrise is not None
    assert at(now) + timedelta(seconds=5) < sunrise <= at(after_sunrise)
    following = entry.schedule.next_after(sunrise)
    assert following is not None
    assert following > at(after_sunrise) + timedelta(seconds=1)


def test_a_relative_day_in_spring_has_23_hours() -> None:
    schedules = {"daily": timedelta(days=1)}
    (entry,) = declared(schedules, relative=True, timezone="America/New_York")
    midnight = at("2026-03-08T00:00:00-05:00")
    assert entry.schedule.next_after(midnight) == midnight + timedelta(hours=23)


@pytest.mark.parametrize(
    ("now", "sent"),
    [
        ("2022-12-05T10:20:00", ["2022-12-05T10:00:00+00:00"]),
        ("2022-12-05T10:30:00", ["2022-12-05T10:00:00+00:00"]),
        ("2022-12-05T10:35:00", []),
    ],
    ids=["within", "on the boundary", "outside"],
)
def test_a_missed_crontab_runs_until_its_deadline(now: str, sent: list[str]) -> None:
    entries = declared({"cron": crontab(minute="0,45")}, beat_cron_starting_deadline=1800)
    assert late(entries, "2022-12-05T08:45:00", now).broker.planned() == sent


def test_what_was_missed_runs_once_after_a_restart() -> None:
    schedules = {
        "tens": crontab(minute="*/10"),
        "each": crontab(minute="*/1"),
        "thirteens": crontab(minute="*/13"),
    }
    fleet = late(declared(schedules), "2018-01-01T01:09:20", "2018-01-01T01:11:20")
    assert {run.entry.name for run in fleet.broker.arrived} == {"tens", "each"}
    assert len(fleet.broker.arrived) == 2
    (soonest,) = fleet.store.upcoming(1)
    assert soonest.plan.due == datetime(2018, 1, 1, 1, 12, tzinfo=UTC)
