"""README.rst, section by section."""

import json
import zoneinfo
from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import (
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
)

from tests.django.live import Live


def every_10_seconds() -> IntervalSchedule:
    schedule, _ = IntervalSchedule.objects.get_or_create(every=10, period=IntervalSchedule.SECONDS)
    return schedule


def importing_contacts(**fields: object) -> PeriodicTask:
    return PeriodicTask.objects.create(
        name="Importing contacts", task="proj.tasks.import_contacts", **fields
    )


def test_important_warning_about_time_zones(live: Live) -> None:
    """The last runs are forgotten; nothing is made up for it."""
    importing_contacts(interval=every_10_seconds())
    live.look()
    live.run("Importing contacts")
    before = live.look()["Importing contacts"]
    PeriodicTask.objects.all().update(last_run_at=None)
    PeriodicTasks.update_changed()
    after = live.look()["Importing contacts"]
    assert after.plan.planned == before.plan.planned
    assert PeriodicTask.objects.get().last_run_at is None


def test_models_update_changed_after_an_update_in_bulk(live: Live) -> None:
    importing_contacts(interval=every_10_seconds())
    live.look()
    PeriodicTask.objects.all().update(task="proj.tasks.export_contacts")
    assert live.look()["Importing contacts"].entry.task == "proj.tasks.import_contacts"
    PeriodicTasks.update_changed()
    assert live.look()["Importing contacts"].entry.task == "proj.tasks.export_contacts"


def test_example_creating_interval_based_periodic_task(live: Live) -> None:
    importing_contacts(interval=every_10_seconds())
    row = live.look()["Importing contacts"]
    assert row.entry.task == "proj.tasks.import_contacts"
    assert row.entry.schedule.plain() == {"every": "10s"}
    assert row.plan.planned is not None
    assert row.plan.planned - live.now() <= timedelta(seconds=10)
    run = live.run("Importing contacts")
    assert PeriodicTask.objects.get().total_run_count == 1
    following = live.look()["Importing contacts"].plan.planned
    assert following == run.occurrence.planned + timedelta(seconds=10)


@pytest.mark.parametrize("period", [period for period, _ in IntervalSchedule.PERIOD_CHOICES])
def test_a_specific_set_of_periods(live: Live, period: str) -> None:
    # Every ten microseconds is more often than anything is run.
    every = 10_000 if period == "microseconds" else 10
    schedule = IntervalSchedule.objects.create(every=every, period=period)
    importing_contacts(interval=schedule)
    planned = live.look()["Importing contacts"].plan.planned
    assert planned is not None
    assert planned - live.now() <= schedule.schedule.run_every


def test_an_example_specifying_the_arguments(live: Live) -> None:
    importing_contacts(
        interval=every_10_seconds(),
        args=json.dumps(["arg1", "arg2"]),
        kwargs=json.dumps({"be_careful": True}),
        expires=datetime.now(UTC) + timedelta(seconds=30),
    )
    row = live.look()["Importing contacts"]
    assert row.entry.args == ("arg1", "arg2")
    assert row.entry.kwargs == {"be_careful": True}
    runs = 0
    while live.look(0)["Importing contacts"].plan.planned is not None:
        live.clock.move_to(live.run("Importing contacts").occurrence.planned)
        runs += 1
    # Every ten seconds until it expires, whichever second it is now.
    assert runs in (2, 3)


def test_low_level_amqp_routing(live: Live) -> None:
    importing_contacts(
        interval=every_10_seconds(), queue="contacts", exchange="ex", routing_key="contacts.in"
    )
    options = live.look()["Importing contacts"].entry.options
    assert options == {"queue": "contacts", "exchange": "ex", "routing_key": "contacts.in"}


def test_example_creating_crontab_based_periodic_task(live: Live) -> None:
    schedule, _ = CrontabSchedule.objects.get_or_create(
        minute="30",
        hour="*",
        day_of_week="*",
        day_of_month="*",
        month_of_year="*",
        timezone=zoneinfo.ZoneInfo("Canada/Pacific"),
    )
    task = importing_contacts(crontab=schedule)
    row = live.look()["Importing contacts"]
    assert row.entry.tz == "Canada/Pacific"
    assert row.plan.planned is not None
    now = datetime.now(UTC)
    theirs = now + task.schedule.remaining_estimate(now)
    assert abs(row.plan.planned - theirs) < timedelta(seconds=5)


def test_temporarily_disable_a_periodic_task(live: Live) -> None:
    periodic_task = importing_contacts(interval=every_10_seconds())
    assert live.look()["Importing contacts"].plan.planned is not None
    periodic_task.enabled = False
    periodic_task.save()
    assert live.look()["Importing contacts"].plan.due is None
    periodic_task.enabled = True
    periodic_task.save()
    assert live.look()["Importing contacts"].plan.planned is not None
