"""Rows of django-celery-beat that are noticed later than they were written."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, PeriodicTask, PeriodicTasks

from tests.sources.django.live import Live
from tests.sources.django.rows import add, every, marker


def clocked(name: str, at: datetime, **fields: Any) -> PeriodicTask:
    clock = ClockedSchedule.objects.create(clocked_time=at)
    return add(name, clocked=clock, one_off=True, **fields)


def told(live: Live) -> dict[str, str]:
    return {record.name: record.reason for record in live.store.history(None, None)}


def test_a_clocked_row_runs_that_was_saved_before_its_moment(live: Live) -> None:
    live.look()
    # Saved 0.3 s ahead, and seen when the moment had passed.
    task = clocked("once", live.now())
    saved = task.clocked.clocked_time - timedelta(seconds=0.3)
    PeriodicTask.objects.update(date_changed=saved)
    live.wait_until(task.clocked.clocked_time)

    row = live.look()["once"]

    assert row.plan.due == task.clocked.clocked_time
    live.run("once")
    task.refresh_from_db()
    assert not task.enabled
    assert told(live) == {"once": ""}


def test_rows_that_the_marker_does_not_tell_count_from_their_date(live: Live) -> None:
    add("first")
    live.look()
    before, now = marker(), datetime.now(UTC)
    at = now - timedelta(seconds=9)
    clock = ClockedSchedule.objects.create(clocked_time=at)
    cron = CrontabSchedule.objects.create(minute=at.minute, hour=at.hour)
    made = [
        PeriodicTask(name="once", task="t", clocked=clock, one_off=True),
        PeriodicTask(name="cron", task="t", crontab=cron),
        PeriodicTask(name="late", task="t", clocked=clock, one_off=True),
    ]
    PeriodicTask.objects.bulk_create(made)
    objects = PeriodicTask.objects
    objects.exclude(name="late").update(date_changed=at - timedelta(seconds=70))
    PeriodicTasks.objects.filter(ident=1).update(last_update=before)

    rows = live.look(60)

    assert rows["once"].plan.due == at
    assert rows["cron"].plan.due == at.replace(second=0, microsecond=0)
    assert rows["late"].plan.due is None
    assert told(live) == {"late": "past when added"}


def test_an_update_without_a_date_runs_a_one_off_and_tells_what_else_it_missed(
    live: Live,
) -> None:
    far = datetime.now(UTC) + timedelta(days=400)
    task = clocked("once", far)
    daily = CrontabSchedule.objects.create(minute=far.minute, hour=far.hour, month_of_year="2")
    add("cron", crontab=daily)
    live.look()
    live.mirror._same_at -= timedelta(minutes=3)  # how long ago it last looked at the rows
    at = datetime.now(UTC) - timedelta(seconds=60)
    ClockedSchedule.objects.filter(pk=task.clocked.pk).update(clocked_time=at)
    CrontabSchedule.objects.filter(pk=daily.pk).update(
        minute=at.minute, hour=at.hour, month_of_year="*"
    )

    rows = live.look(60)

    assert rows["once"].plan.due == at
    assert rows["cron"].plan.due > at
    assert told(live) == {"cron": "edited, noticed late"}


def test_a_row_saved_while_no_daemon_ran_is_late_and_one_from_before_is_past(live: Live) -> None:
    live.look()
    now = live.now()
    live.mirror._rows.close()
    clocked("once", now + timedelta(microseconds=2))
    clocked("past", now - timedelta(days=1))
    objects = PeriodicTask.objects
    objects.filter(name="once").update(date_changed=now + timedelta(microseconds=1))
    objects.filter(name="past").update(date_changed=now - timedelta(days=2))
    live.restart()
    live.wait_until(now + timedelta(microseconds=2))

    rows = live.look()

    assert (rows["once"].plan.due is None, rows["past"].plan.due) == (False, None)
    assert told(live) == {"past": "past when added"}


def test_clocked_rows_that_were_past_at_the_switch_are_listed(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    now = datetime.now(UTC)
    clocked("past", now - timedelta(days=1))
    clocked("ran", now - timedelta(days=1), total_run_count=1)
    clocked("off", now - timedelta(days=1), enabled=False)
    clocked("ahead", now + timedelta(days=1))
    PeriodicTask.objects.update(date_changed=now - timedelta(days=2))

    with caplog.at_level("WARNING", "beatd"):
        rows = live.look()

    assert [name for name, row in rows.items() if row.plan.due] == ["ahead"]
    assert told(live) == {"past": "past when added"}
    (line,) = [record.getMessage() for record in caplog.records]
    assert "1 one-off was past when it was first seen and will not run" in line
    assert line.endswith(": past")


def test_the_first_look_fires_no_moment_of_what_repeats(live: Live) -> None:
    add("often", interval=every(1))
    now = live.now()
    PeriodicTask.objects.update(date_changed=now - timedelta(seconds=9))
    planned = live.look()["often"].plan.planned
    assert planned is not None
    assert planned > now


def test_a_one_off_that_ran_is_no_edit(live: Live, caplog: pytest.LogCaptureFixture) -> None:
    add("t", one_off=True)
    live.look()
    live.run("t")
    with caplog.at_level("INFO", "beatd"):
        assert not live.look(60)["t"].entry.enabled
    assert not caplog.records
    add("u", one_off=True)
    live.look()
    live.run("u")
    live.restart()
    caplog.clear()
    with caplog.at_level("INFO", "beatd"):
        assert not live.look(60)["u"].entry.enabled
    assert not caplog.records
