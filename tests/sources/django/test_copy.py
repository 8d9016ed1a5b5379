"""beatd import django-celery-beat+URL: the rows copied, for leaving Django's tables for good."""

from datetime import UTC, datetime, timedelta

from django_celery_beat.models import CrontabSchedule, PeriodicTask

from beatd import planning
from beatd.imports import to_entries
from beatd.imports.readers import SourceOptions, read
from tests.sources.django.rows import every

LAST = datetime(2026, 11, 20, 13, 5, 7, tzinfo=UTC)


def test_rows_are_copied_with_what_they_did(database: str) -> None:
    week = every(7 * 86400)
    objects = PeriodicTask.objects
    objects.create(
        name="weekly", task="t", interval=week, last_run_at=LAST, total_run_count=41, queue="q"
    )
    objects.create(name="once", task="t", interval=week, one_off=True)
    objects.create(name="ran", task="t", interval=week, one_off=True, total_run_count=1)
    sunday = CrontabSchedule.objects.create(minute="0", hour="0", day_of_week="7")
    objects.create(name="sunday", task="t", crontab=sunday)
    objects.create(name="none", task="t", interval=week)
    objects.filter(name="none").update(interval=None)

    opened = read(f"django-celery-beat+{database}", SourceOptions(timezone="Europe/Berlin"))
    made = to_entries(opened.read.found, timezone=opened.timezone, source=opened.kind)

    weekly, once, ran = made.entries
    assert (weekly.last, weekly.runs) == (LAST, 41)
    plan = planning.first(weekly.entry, LAST + timedelta(days=1))
    assert plan.planned == LAST + timedelta(days=7)
    assert (once.entry.max_runs, once.entry.enabled) == (1, True)
    assert not ran.entry.enabled
    refused = {no.name: no.reason for no in (*opened.read.refused, *made.refused)}
    assert set(refused) == {"sunday", "none"}
    assert "7" in refused["sunday"]
