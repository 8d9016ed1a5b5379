"""Entries written as docs/tasks.rst says: Creating Tasks, Interval, Crontab."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from celery.schedules import crontab, schedule
from redbeat import RedBeatScheduler, RedBeatSchedulerEntry
from redbeat.schedules import rrule

from beatd import planning
from tests.peers.redbeat.conftest import RedBeat

INTERVAL: dict[str, Any] = {
    "name": "poll the mailbox",
    "task": "mail.poll",
    "schedule": {"__type__": "interval", "every": 20, "relative": False},
    "args": ["inbox", "archive"],
    "kwargs": {"limit": 20},
    "enabled": True,
}
CRONTAB: dict[str, Any] = {
    "name": "weekly figures",
    "task": "figures.weekly",
    "schedule": {
        "__type__": "crontab",
        "minute": "15",
        "hour": "*/6",
        "day_of_week": "tuesday",
        "day_of_month": "*/3",
        "month_of_year": "[1-12]",
    },
    "args": ["inbox", "archive"],
    "kwargs": {"limit": 20},
    "enabled": True,
}


def inserted(place: RedBeat, client: redis.Redis, definition: dict[str, Any]) -> str:
    """Write an entry into Redis without RedBeat: a hash, and its key in the sorted set."""
    key = f"{place.prefix}:report"
    client.hset(key, "definition", json.dumps(definition))
    client.zadd(f"{place.prefix}:schedule", {key: 0})
    return key


def test_creating_tasks_the_usual_way(place: RedBeat) -> None:
    place.app.conf.beat_schedule = {
        "ping": {"task": "net.ping", "schedule": 45.0, "args": ("a", 3)}
    }
    RedBeatScheduler(place.app)
    one = place.one()
    assert (one.entry.name, one.entry.task) == ("ping", "net.ping")
    assert one.entry.args == ("a", 3)
    assert one.entry.schedule.plain() == {"every": "45s"}
    assert one.notes == ("stands in the app's beat_schedule too",)


def test_creating_tasks_with_an_entry(place: RedBeat) -> None:
    interval = schedule(run_every=60)
    entry = RedBeatSchedulerEntry(
        "report", "tasks.report", interval, args=["north", 2], app=place.app
    )
    entry.save()
    one = place.one()
    assert (one.entry.name, one.entry.task) == ("report", "tasks.report")
    assert one.entry.args == ("north", 2)
    due = planning.first(one.entry, datetime.now(UTC)).planned
    assert due is not None
    # RedBeat's score is cut to whole seconds.
    assert abs(due.timestamp() - entry.score) <= 1


@pytest.mark.parametrize(
    "when",
    [
        schedule(run_every=60),
        schedule(run_every=3600),
        crontab(minute=5, hour="*/3", day_of_week="mon-fri"),
        rrule("DAILY", dtstart=datetime(2026, 1, 31, 9, tzinfo=UTC), byhour=[9, 17], byminute=0),
    ],
    ids=["interval", "hourly", "crontab", "rrule"],
)
def test_an_entry_that_was_rescheduled_runs_next_when_redbeat_would(
    place: RedBeat, when: Any
) -> None:
    entry = RedBeatSchedulerEntry("report", "tasks.report", when, app=place.app).save()
    again = RedBeatSchedulerEntry.from_key(entry.key, app=place.app)
    assert (again.name, again.task) == ("report", "tasks.report")
    # RedBeat's score is early by the time since the last run, so that is now.
    again.reschedule()
    one = place.one()
    assert one.last == again.last_run_at
    due = planning.first(one.entry, datetime.now(UTC)).planned
    assert due is not None
    assert abs(due.timestamp() - again.score) <= 1


def test_a_deleted_entry_is_gone(place: RedBeat) -> None:
    for name in ("stays", "goes"):
        RedBeatSchedulerEntry(name, "tasks.t", schedule(60), app=place.app).save()
    key = f"{place.prefix}goes"
    RedBeatSchedulerEntry.from_key(key, app=place.app).delete()
    assert place.one().entry.name == "stays"


def test_interval(place: RedBeat, client: redis.Redis) -> None:
    inserted(place, client, INTERVAL)
    one = place.one()
    assert (one.entry.name, one.entry.task) == ("poll the mailbox", "mail.poll")
    assert (one.entry.args, one.entry.kwargs) == (("inbox", "archive"), {"limit": 20})
    assert one.entry.schedule.plain() == {"every": "20s"}


@pytest.mark.parametrize("optional", ["relative", "args", "kwargs", "enabled"])
def test_interval_without_what_is_optional(
    place: RedBeat, client: redis.Redis, optional: str
) -> None:
    """RedBeat itself raises KeyError where `relative` is left out."""
    left = {key: value for key, value in INTERVAL.items() if key != optional}
    left["schedule"] = {k: v for k, v in INTERVAL["schedule"].items() if k != optional}
    inserted(place, client, left)
    one = place.one()
    assert one.entry.enabled
    assert one.entry.schedule.plain() == {"every": "20s"}


def test_crontab(place: RedBeat, client: redis.Redis) -> None:
    fields = CRONTAB["schedule"] | {"month_of_year": "1-12"}
    key = inserted(place, client, CRONTAB | {"schedule": fields})
    one = place.one()
    assert (one.entry.name, one.entry.task) == ("weekly figures", "figures.weekly")
    last = datetime.now(UTC)
    entry = RedBeatSchedulerEntry.from_key(key, app=place.app)
    entry.reschedule(last_run_at=last)
    due = one.entry.schedule.next_after(last)
    assert due is not None
    assert abs(due.timestamp() - entry.score) <= 1


def test_a_month_in_brackets_as_in_the_documentation_is_refused_as_redbeat_refuses_it(
    place: RedBeat, client: redis.Redis
) -> None:
    """[1-12] is no field of celery's crontab."""
    key = inserted(place, client, CRONTAB)
    with pytest.raises(ValueError, match=r"\[1-12\]"):
        RedBeatSchedulerEntry.from_key(key, app=place.app)
    made = place.imported()
    assert not made.entries
    assert "[1-12]" in made.refused[0].reason


def test_crontab_without_what_is_optional(place: RedBeat, client: redis.Redis) -> None:
    bare = {"name": "bare", "task": "t", "schedule": {"__type__": "crontab", "minute": "5"}}
    inserted(place, client, bare)
    assert place.one().entry.schedule.plain() == {"crontab": {"minute": "5"}}
