"""The same table, the same minutes: what django-celery-beat would run next, and what we do."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, PeriodicTask, PeriodicTasks

from tests.sources.django.live import Live
from tests.sources.django.rows import every

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")


@pytest.fixture
def theirs(live: Live) -> Any:
    """django-celery-beat's own entries by name, as its scheduler makes them of the table."""
    from django_celery_beat.schedulers import ModelEntry

    app = Celery("proj", broker="memory://", set_as_current=False)

    def entries() -> dict[str, Any]:
        enabled = PeriodicTask.objects.filter(enabled=True).select_related()
        return {task.name: ModelEntry(task, app=app) for task in enabled}

    return entries


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("count", [200, pytest.param(5000, marks=pytest.mark.long)])
def test_after_every_kind_of_edit_the_next_runs_are_theirs(
    live: Live, theirs: Any, count: int
) -> None:
    dice = random.Random(7)
    crons = [
        CrontabSchedule.objects.create(
            minute=dice.choice(["*", "*/5", "7", "1-30/3"]),
            hour=dice.choice(["*", "*/3", "9-17", "4"]),
            day_of_week=dice.choice(["*", "mon-fri", "0", "fri-mon"]),
            day_of_month=dice.choice(["*", "*/2", "1-7"]),
            timezone=dice.choice(ZONES),
        )
        for _ in range(60)
    ]
    PeriodicTask.objects.bulk_create(
        PeriodicTask(name=f"t{i}", task="proj.t", crontab=crons[i % 60], enabled=i % 9 > 0)
        for i in range(count)
    )
    PeriodicTasks.update_changed()
    compare(live, theirs)

    # As the admin does: one by one, then a schedule that many share, then in bulk.
    for task in PeriodicTask.objects.filter(enabled=True).order_by("?")[:20]:
        task.enabled = False
        task.save()
    for task in PeriodicTask.objects.filter(enabled=False).order_by("?")[:20]:
        task.enabled = True
        task.crontab = dice.choice(crons)
        task.save()
    compare(live, theirs)
    crons[0].minute = "59"
    crons[0].save()
    PeriodicTask.objects.filter(name__endswith="3").delete()
    compare(live, theirs)
    PeriodicTask.objects.filter(name__endswith="4").update(crontab=crons[1])
    PeriodicTask.objects.filter(name__endswith="5").update(enabled=False)
    PeriodicTask.objects.filter(name__endswith="6").update(crontab=None, interval=every(30))
    compare(live, theirs, seconds=60)


def compare(live: Live, theirs: Any, seconds: float = 1.0) -> None:
    rows = live.look(seconds)
    now = datetime.now(UTC)
    expected = theirs()
    assert {name for name, row in rows.items() if row.entry.enabled} == set(expected)
    for name, entry in expected.items():
        planned = rows[name].plan.planned
        assert planned is not None
        if "crontab" not in rows[name].entry.schedule.plain():
            # An interval has its own phase there.
            assert planned - now <= entry.schedule.run_every + timedelta(seconds=1)
            continue
        if planned <= now + timedelta(seconds=1):
            continue  # the minute turned in between
        # What remains is counted from the moment of the question.
        following = entry.schedule.remaining_estimate(now) + datetime.now(UTC)
        gap = abs((planned - following).total_seconds())
        assert gap <= 1, (name, planned, following, rows[name].entry)


def test_the_options_of_a_message_are_theirs(live: Live, theirs: Any) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    objects, minute = PeriodicTask.objects, every(60)
    later = now + timedelta(days=3)
    objects.create(name="plain", task="t", interval=minute)
    objects.create(name="moment", task="t", interval=minute, expires=later, start_time=now)
    objects.create(name="seconds", task="t", interval=minute, expire_seconds=90, one_off=True)
    objects.create(name="nothing", task="t", interval=minute, expire_seconds=0)
    objects.create(name="both", task="t", interval=minute, expire_seconds=90)
    objects.filter(name="both").update(expires=later)
    objects.create(
        name="route", task="t", interval=minute, queue="q", exchange="x", routing_key="r",
        priority=0, headers='{"h": [1]}',
    )  # fmt: skip
    rows, expected = live.look(), theirs()
    assert set(rows) == set(expected)
    for name, entry in expected.items():
        options = dict(rows[name].entry.options)
        if isinstance(options.get("expires"), str):
            options["expires"] = datetime.fromisoformat(options["expires"])
        options["headers"] = {**options.get("headers", {}), "periodic_task_name": name}
        assert options == entry.options, name


def test_a_clocked_row_that_starts_after_its_moment_runs_at_its_start(
    live: Live, theirs: Any
) -> None:
    now = datetime.now(UTC)
    clock = ClockedSchedule.objects.create(clocked_time=now - timedelta(hours=1))
    start = now + timedelta(hours=1)
    PeriodicTask.objects.create(name="c", task="t", clocked=clock, one_off=True, start_time=start)
    due, _ = theirs()["c"].is_due()
    assert (due, live.look()["c"].plan.planned) == (False, start)
    PeriodicTask.objects.update(start_time=now - timedelta(minutes=1))
    assert theirs()["c"].is_due()[0]
