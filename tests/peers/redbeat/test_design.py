"""Entries in the states that docs/design.rst describes: Scheduling, Metadata, Timezone."""

import json
from datetime import UTC, datetime

import redis
from celery.schedules import crontab, schedule
from redbeat import RedBeatSchedulerEntry

from beatd import planning
from tests.peers.redbeat.conftest import RedBeat

NOW = datetime(2026, 3, 14, 9, 27, tzinfo=UTC)


def test_metadata(place: RedBeat, client: redis.Redis) -> None:
    """Written by an application, without seconds and with the microsecond."""
    entry = RedBeatSchedulerEntry("report", "tasks.t", schedule(3600), app=place.app).save()
    moment = {"__type__": "datetime", "year": 2026, "month": 3, "day": 14, "hour": 9,
              "minute": 26, "microsecond": 535}  # fmt: skip
    meta = {"last_run_at": moment, "total_run_count": 42}
    client.hset(entry.key, "meta", json.dumps(meta))
    one = place.one()
    assert one.last == datetime(2026, 3, 14, 9, 26, 0, 535, tzinfo=UTC)
    assert one.runs == 42
    assert planning.first(one.entry, NOW).planned == datetime(2026, 3, 14, 10, 26, tzinfo=UTC)


def test_scheduling_with_a_score_of_nought(place: RedBeat, client: redis.Redis) -> None:
    """Due at once in RedBeat; in beatd nothing fires because of an import."""
    entry = RedBeatSchedulerEntry("report", "tasks.t", schedule(3600), app=place.app).save()
    client.zadd(f"{place.prefix}:schedule", {entry.key: 0})
    now = datetime.now(UTC)
    planned = planning.first(place.one().entry, now).planned
    assert planned is not None
    assert planned > now


def test_timezone(place: RedBeat) -> None:
    """The score is UTC whatever zone the crontab is in, and so is what is planned."""
    entry = RedBeatSchedulerEntry(
        "daily", "tasks.t", crontab(hour=9, minute=0, app=place.app), app=place.app
    ).save()
    one = place.one()
    planned = one.entry.schedule.next_after(datetime.now(UTC))
    assert planned is not None
    assert one.entry.tz == "Europe/Berlin"
    assert abs(planned.timestamp() - entry.score) <= 1
