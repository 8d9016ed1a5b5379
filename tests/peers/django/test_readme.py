"""What the sections of README.rst describe, done with Django's models."""

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

from tests.sources.django.live import Live


def every_20_seconds() -> IntervalSchedule:
    schedule, _ = IntervalSchedule.objects.get_or_create(every=20, period=IntervalSchedule.SECONDS)
    return schedule


def stock_count(**fields: object) -> PeriodicTask:
    return PeriodicTask.objects.create(name="Count the stock", task="shop.count_stock", **fields)


def test_a_last_run_that_is_set_back_to_none_adds_no_run(live: Live) -> None:
    """The README says to do this after a change of the time zone."""
    stock_count(interval=every_20_seconds())
    live.look()
    live.run("Count the stock")
    before = live.look()["Count the stock"]
    PeriodicTask.objects.all().update(last_run_at=None)
    PeriodicTasks.update_changed()
    after = live.look()["Count the stock"]
    assert after.plan.planned == before.plan.planned
    assert PeriodicTask.objects.get().last_run_at is None


def test_an_update_in_bulk_is_seen_after_update_changed(live: Live) -> None:
    stock_count(interval=every_20_seconds())
    live.look()
    PeriodicTask.objects.all().update(task="shop.order_stock")
    assert live.look()["Count the stock"].entry.task == "shop.count_stock"
    PeriodicTasks.update_changed()
    assert live.look()["Count the stock"].entry.task == "shop.order_stock"


def test_an_interval_runs_on_its_grid_and_is_counted(live: Live) -> None:
    stock_count(interval=every_20_seconds())
    row = live.look()["Count the stock"]
    assert row.entry.task == "shop.count_stock"
    assert row.entry.schedule.plain() == {"every": "20s"}
    assert row.plan.planned is not None
    assert row.plan.planned - live.now() <= timedelta(seconds=20)
    run = live.run("Count the stock")
    assert PeriodicTask.objects.get().total_run_count == 1
    following = live.look()["Count the stock"].plan.planned
    assert following == run.occurrence.planned + timedelta(seconds=20)


@pytest.mark.parametrize("period", [period for period, _ in IntervalSchedule.PERIOD_CHOICES])
def test_every_period_has_its_length(live: Live, period: str) -> None:
    # Every ten microseconds is more often than anything is run.
    every = 10_000 if period == "microseconds" else 10
    schedule = IntervalSchedule.objects.create(every=every, period=period)
    stock_count(interval=schedule)
    planned = live.look()["Count the stock"].plan.planned
    assert planned is not None
    assert planned - live.now() <= schedule.schedule.run_every


def test_a_task_has_its_arguments_until_it_expires(live: Live) -> None:
    stock_count(
        interval=every_20_seconds(),
        args=json.dumps(["shelf", 3]),
        kwargs=json.dumps({"dry": True}),
        expires=datetime.now(UTC) + timedelta(seconds=50),
    )
    row = live.look()["Count the stock"]
    assert row.entry.args == ("shelf", 3)
    assert row.entry.kwargs == {"dry": True}
    runs = 0
    while live.look(0)["Count the stock"].plan.planned is not None:
        live.clock.move_to(live.run("Count the stock").occurrence.planned)
        runs += 1
    # Every twenty seconds until it expires, whichever second it is now.
    assert runs in (2, 3)


def test_the_fields_of_routing_become_options(live: Live) -> None:
    stock_count(interval=every_20_seconds(), queue="stock", exchange="ex", routing_key="stock.in")
    options = live.look()["Count the stock"].entry.options
    assert options == {"queue": "stock", "exchange": "ex", "routing_key": "stock.in"}


def test_a_crontab_is_due_when_its_own_estimate_says(live: Live) -> None:
    schedule, _ = CrontabSchedule.objects.get_or_create(
        minute="40",
        hour="*",
        day_of_week="*",
        day_of_month="*",
        month_of_year="*",
        timezone=zoneinfo.ZoneInfo("America/Halifax"),
    )
    task = stock_count(crontab=schedule)
    row = live.look()["Count the stock"]
    assert row.entry.tz == "America/Halifax"
    assert row.plan.planned is not None
    now = datetime.now(UTC)
    theirs = now + task.schedule.remaining_estimate(now)
    assert abs(row.plan.planned - theirs) < timedelta(seconds=5)


def test_a_task_can_be_disabled_for_a_while(live: Live) -> None:
    task = stock_count(interval=every_20_seconds())
    assert live.look()["Count the stock"].plan.planned is not None
    task.enabled = False
    task.save()
    assert live.look()["Count the stock"].plan.due is None
    task.enabled = True
    task.save()
    assert live.look()["Count the stock"].plan.planned is not None
