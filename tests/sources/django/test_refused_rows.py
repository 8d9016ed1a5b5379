"""Rows of django-celery-beat that are refused or warned of, while the other rows run."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.db import connections
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from beatd.cli import main
from beatd.sources.django_mirror import DjangoMirror
from beatd.sources.django_rows import DjangoRows
from tests.sources.django.live import Live
from tests.sources.django.rows import add


def test_each_bad_row_is_told_and_the_rest_runs(live: Live) -> None:
    for name in ("good", "args", "none", "sunday", "deep", "huge"):
        add(name)
    sunday = CrontabSchedule.objects.create(minute="0", hour="0", day_of_week="7")
    objects = PeriodicTask.objects
    objects.filter(name="args").update(args="[1")
    objects.filter(name="none").update(interval=None)
    objects.filter(name="deep").update(args="[" * 50_000)
    ages = IntervalSchedule.objects.create(every=2_000_000_000, period="days")
    objects.filter(name="huge").update(interval=ages)
    objects.filter(name="sunday").update(interval=None, crontab=sunday)

    rows = live.look()

    assert set(rows) == {"good"}
    said = "\n".join(live.mirror.conflicts())
    assert "args: its args are not JSON" in said
    assert "none: it has no schedule" in said
    assert "sunday" in said and "7" in said
    assert "deep: its args are nested deeper than 50 levels" in said
    assert "huge: has a number that is too large" in said
    assert "\n".join(live.store.marks.conflicts(live.mirror._source)) == said
    objects.filter(name="args").update(args="[1]")
    assert set(live.look(60)) == {"good", "args"}
    assert "args:" not in "\n".join(live.mirror.conflicts())
    objects.exclude(name__in=["good", "args"]).delete()
    live.look()
    assert live.store.marks.conflicts(live.mirror._source) == live.mirror.conflicts() == []


def test_a_row_with_several_schedules_runs_the_first_and_this_is_told(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    hourly = CrontabSchedule.objects.create(minute="0")
    add("good")
    both = add("both")
    PeriodicTask.objects.filter(name="both").update(crontab=hourly)
    both.refresh_from_db()

    rows = live.look()

    assert set(rows) == {"good", "both"}
    assert both.scheduler == both.interval
    assert rows["both"].entry.schedule.plain() == {"every": "1m"}
    (said,) = live.mirror.conflicts()
    assert "both: interval and crontab are set; the interval counts" in said
    live.look(60)
    assert caplog.text.count("the interval counts") == 1
    assert live.store.marks.conflicts(live.mirror._source) == [said]
    live.restart()
    live.look()
    assert live.mirror.conflicts() == [said]
    both.crontab = None
    both.save()
    live.look()
    assert live.mirror.conflicts() == []


def test_a_row_whose_headers_replace_those_of_celery_is_told(live: Live) -> None:
    add("good", headers='{"x": 1}')
    add("odd", headers='{"id": "x", "periodic_task_name": "y"}')
    assert set(live.look()) == {"good", "odd"}
    (said,) = live.mirror.conflicts()
    assert "odd: options.headers.id: replaces the header that celery writes" in said
    assert "options.headers.periodic_task_name: is not sent" in said


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_expiry_that_is_too_far_ahead_is_told_and_the_rest_runs(live: Live) -> None:
    add("good")
    add("far")
    table = PeriodicTask._meta.db_table
    with connections["default"].cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET expire_seconds = {10**20 - 1} WHERE name = 'far'")
    assert set(live.look()) == {"good"}
    (said,) = live.mirror.conflicts()
    assert "far: options.expires" in said and "more than a thousand years" in said


def test_what_a_leader_before_told_is_told_by_status_until_it_is_good(
    live: Live,
) -> None:
    task = add("bad")
    PeriodicTask.objects.filter(name="bad").update(interval=None)
    live.look()
    ended = CliRunner().invoke(
        main, ["status", "--json", "--store", f"django-celery-beat+{live.url}"]
    )
    (line,) = json.loads(ended.stdout)["conflicts"]
    assert "bad: it has no schedule" in line
    live.restart()
    task.delete()
    live.look()
    assert live.store.marks.conflicts(live.mirror._source) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", ["name", "args", "description", "date_changed"])
def test_a_row_whose_text_is_no_utf8_is_told_and_the_rest_runs(live: Live, column: str) -> None:
    add("good")
    add("bad", one_off=True)
    table = PeriodicTask._meta.db_table
    with connections["default"].cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = CAST(x'ff41' AS TEXT) WHERE name = 'bad'")
    assert set(live.look()) == {"good"}
    (said,) = live.mirror.conflicts()
    assert f"{column}: not UTF-8" in said
    add("new")
    assert set(live.look(60)) == {"good", "new"}


def test_a_name_that_another_source_holds_is_told_and_left_alone(live: Live) -> None:
    from beatd.definition import entry_from
    from beatd.edits import editing

    mine = entry_from("t", {"task": "mine", "every": "1h"})
    editing.add(live.store, mine, live.clock.now)
    live.look()
    add("t")
    assert live.look()["t"].entry.task == "mine"
    assert any("is not applied: " in line for line in live.mirror.conflicts())


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_without_the_tables_is_told_and_stops_nothing(
    live: Live, tmp_path: Path
) -> None:
    rows = DjangoRows(f"sqlite:///{tmp_path}/empty.db")
    mirror = DjangoMirror(rows, live.others, timezone="UTC", name="config", clock=live.clock)
    assert not mirror(live.store, True)
    rows.close()
    said, waits = mirror.conflicts()
    assert "migrate" in said
    assert "wait until its rows are applied" in waits
    assert live.others.call_args.args[:2] == (live.store, True)
