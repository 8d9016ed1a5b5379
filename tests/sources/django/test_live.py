"""django-celery-beat's tables as a live store: what Django's admin does, beatd does."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connections, transaction
from django.test import Client
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    PeriodicTasks,
    SolarSchedule,
)

from beatd.catalog import Query
from beatd.cli import main
from beatd.errors import StoreError
from beatd.sources.django_mirror import DjangoMirror
from beatd.sources.django_rows import DjangoRows
from tests.sources.django.live import Live


@pytest.fixture
def live(database: str) -> Iterator[Live]:
    made = Live(database)
    try:
        yield made
    finally:
        made.close()


def every(seconds: int = 60) -> IntervalSchedule:
    return IntervalSchedule.objects.get_or_create(every=seconds, period="seconds")[0]


def add(name: str, **fields: Any) -> PeriodicTask:
    fields.setdefault("task", "proj.t")
    if not {"interval", "crontab", "solar", "clocked"} & set(fields):
        fields["interval"] = every()
    return PeriodicTask.objects.create(name=name, **fields)


def marker() -> Any:
    return PeriodicTasks.objects.get(ident=1).last_update


def test_the_four_kinds_of_schedule_and_every_field_are_carried(live: Live) -> None:
    office = CrontabSchedule.objects.create(
        minute="*/15", hour="9-17", day_of_week="mon-fri", timezone="Europe/Berlin"
    )
    sun = SolarSchedule.objects.create(event="sunset", latitude="52.5", longitude="13.4")
    start = datetime(2030, 1, 1, 8, tzinfo=UTC)
    end = datetime(2031, 1, 1, tzinfo=UTC)
    add(
        "every", args="[1, 2]", kwargs='{"x": "y"}', queue="q", priority=5,
        headers='{"h": 1}', start_time=start, expires=end, description="why",
        interval=IntervalSchedule.objects.create(every=90, period="minutes"),
    )  # fmt: skip
    add("office", crontab=office, expire_seconds=60)
    add("sun", solar=sun)
    clock = ClockedSchedule.objects.create(clocked_time=start)
    add("once", clocked=clock, one_off=True)
    add("off", enabled=False)

    rows = live.look()

    entry = rows["every"].entry
    assert (entry.args, entry.kwargs, entry.start) == ((1, 2), {"x": "y"}, start)
    assert entry.options == {
        "queue": "q", "priority": 5, "headers": {"h": 1}, "expires": end.isoformat()
    }  # fmt: skip
    assert rows["office"].entry.options == {"expires": 60}
    assert entry.end == end - timedelta(microseconds=1)
    assert (entry.description, entry.source) == ("why", "django-celery-beat:config")
    assert rows["every"].plan.planned == start
    assert (rows["office"].entry.tz, rows["off"].entry.enabled) == ("Europe/Berlin", False)
    assert rows["once"].plan.planned == start
    assert rows["once"].entry.max_runs == 1
    assert rows["sun"].plan.planned is not None
    assert rows["off"].plan.due is None


def test_edits_in_the_admin_are_acted_on_at_the_next_look(live: Live) -> None:
    from django.contrib.auth.models import User

    User.objects.create_superuser("admin", "a@example.com", "pw")
    client = Client()
    client.force_login(User.objects.get())
    cron = CrontabSchedule.objects.create(minute="5", hour="4")
    live.look()

    def form(**fields: Any) -> dict[str, Any]:
        return {
            "name": "report", "regtask": "", "task": "proj.report", "enabled": "on",
            "crontab": cron.pk, "args": "[1]", "kwargs": "{}", "headers": "{}", **fields,
        }  # fmt: skip

    url = "/admin/django_celery_beat/periodictask/"
    assert client.post(f"{url}add/", form()).status_code == 302
    row = live.look()["report"]
    assert (row.entry.task, row.entry.args) == ("proj.report", (1,))
    planned = row.plan.planned

    task = PeriodicTask.objects.get(name="report")
    assert client.post(f"{url}{task.pk}/change/", form(args="[2]")).status_code == 302
    row = live.look()["report"]
    assert (row.entry.args, row.plan.planned) == ((2,), planned)

    crontabs = "/admin/django_celery_beat/crontabschedule/"
    changed = {"minute": "6", "hour": "4", "day_of_month": "*", "month_of_year": "*",
               "day_of_week": "*", "timezone": "UTC", "periodictask_set-TOTAL_FORMS": 0,
               "periodictask_set-INITIAL_FORMS": 0}  # fmt: skip
    assert client.post(f"{crontabs}{cron.pk}/change/", changed).status_code == 302
    moved = live.look()["report"].plan.planned
    assert planned is not None
    assert moved == planned + timedelta(minutes=1)

    action = {"_selected_action": [task.pk]}
    assert client.post(url, {"action": "disable_tasks", **action}).status_code == 302
    assert live.look()["report"].plan.due is None
    assert client.post(url, {"action": "enable_tasks", **action}).status_code == 302
    assert live.look()["report"].plan.planned == moved
    assert client.post(f"{url}{task.pk}/delete/", {"post": "yes"}).status_code == 302
    assert "report" not in live.look()


def test_what_the_marker_does_not_tell_is_noticed_within_a_minute(live: Live) -> None:
    for i in range(5):
        add(f"t{i}")
    live.look()
    before = marker()
    PeriodicTask.objects.filter(name="t1").update(args="[7]")
    PeriodicTask.objects.filter(name="t2").delete()
    IntervalSchedule.objects.filter(every=60).update(every=120)
    PeriodicTask.objects.bulk_create([PeriodicTask(name="t9", task="x", interval=every(30))])
    PeriodicTasks.objects.filter(ident=1).update(last_update=before)

    rows = live.look(60)

    assert set(rows) == {"t0", "t1", "t3", "t4", "t9"}
    assert rows["t1"].entry.args == (7,)
    assert rows["t0"].entry.schedule.plain() == {"every": "2m"}


def test_a_look_at_what_nobody_edited_writes_nothing(live: Live) -> None:
    add("t")
    before = live.look()["t"]
    version = live.store.version()
    live.run("t")
    for seconds in (1, 60, 60):
        after = live.look(seconds)["t"]
    assert (after.revision, live.store.version()) == (before.revision, version)


def test_what_ran_is_told_to_the_row_and_the_marker_stays(live: Live) -> None:
    task = add("t")
    live.look()
    before, changed = marker(), task.date_changed
    at = datetime(2026, 11, 21, 6, 0, 0, 123456, tzinfo=UTC)

    live.run("t", at)
    live.run("t", at + timedelta(seconds=1))

    task.refresh_from_db()
    assert (task.total_run_count, task.last_run_at) == (2, at + timedelta(seconds=1))
    assert (marker(), task.date_changed) == (before, changed)


def test_a_one_off_runs_once_and_once_more_when_it_is_enabled_again(live: Live) -> None:
    task = add("t", one_off=True)
    live.look()
    live.run("t")
    task.refresh_from_db()
    assert (task.enabled, task.total_run_count) == (False, 0)
    assert live.look(60)["t"].plan.due is None

    task.enabled = True
    task.save()
    row = live.look()["t"]
    assert row.entry.max_runs == 2
    assert row.plan.planned is not None
    live.run("t")
    # Enabled again before we saw it disabled.
    PeriodicTask.objects.get().refresh_from_db()
    task.refresh_from_db()
    task.enabled = True
    task.save()
    assert live.look()["t"].plan.planned is not None


def test_a_one_off_whose_run_is_on_its_way_is_not_begun_again(live: Live) -> None:
    task = add("t", one_off=True)
    live.look()
    live.claim("t")
    task.description = "edited meanwhile"
    task.save()
    row = live.look()["t"]
    assert row.entry.description == "edited meanwhile"
    assert row.plan.due is None
    live.restart()
    assert live.look()["t"].plan.due is None


def test_what_expired_or_ran_elsewhere_is_disabled_in_the_table(live: Live) -> None:
    add("expired", expires=datetime(2020, 1, 1, tzinfo=UTC))
    add("ran", one_off=True, total_run_count=1)
    add("lives")
    before = marker()
    rows = live.look()
    assert [n for n, row in rows.items() if row.plan.due is not None] == ["lives"]
    enabled = PeriodicTask.objects.filter(enabled=True)
    assert [task.name for task in enabled] == ["lives"]
    assert marker() == before


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


def test_a_row_whose_count_is_full_stays_so_and_stops_no_record(live: Live) -> None:
    add("full")
    PeriodicTask.objects.filter(name="full").update(total_run_count=2**31 - 1)
    live.look()
    live.run("full")
    assert PeriodicTask.objects.get(name="full").total_run_count == 2**31 - 1


# SQLite locks the whole file.
@pytest.mark.parametrize("database", ["postgresql", "pgbouncer", "mysql"], indirect=True)
def test_a_row_that_is_locked_stops_no_record_and_is_told_later(
    live: Live, caplog: pytest.LogCaptureFixture
) -> None:
    add("locked")
    add("free")
    live.look()
    with transaction.atomic():
        PeriodicTask.objects.select_for_update().get(name="locked")
        live.run("locked")
        live.run("locked")
        live.run("free")
    assert "rows are not told what ran" in caplog.text
    counts = PeriodicTask.objects.values_list("name", "total_run_count")
    assert dict(counts) == {"locked": 0, "free": 1}
    live.look(60)
    assert dict(counts.all()) == {"locked": 2, "free": 1}


def test_runs_are_recorded_though_the_table_is_gone(live: Live) -> None:
    add("t")
    live.look()
    table = PeriodicTask._meta.db_table
    with connections["default"].cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            live.run("t")
        finally:
            cursor.execute(f"ALTER TABLE away RENAME TO {table}")
    assert [record.state for record in live.store.history("t", None)] == ["published"]
    live.look(60)
    assert PeriodicTask.objects.get().total_run_count == 1


@pytest.fixture
def of_another_collation(live: Live) -> Iterator[None]:
    convert = "ALTER TABLE django_celery_beat_periodictask CONVERT TO CHARACTER SET utf8mb4"
    with connections["default"].cursor() as cursor:
        cursor.execute(f"{convert} COLLATE utf8mb4_unicode_ci")
        yield
        cursor.execute(convert)


@pytest.mark.usefixtures("of_another_collation")
@pytest.mark.parametrize("database", ["mysql"], indirect=True)
def test_runs_are_told_to_a_table_of_another_collation(live: Live) -> None:
    task = add("t")
    live.look()
    live.run("t")
    task.refresh_from_db()
    assert task.total_run_count == 1


def test_a_renamed_row_and_an_emptied_table_are_followed(live: Live) -> None:
    task = add("a")
    live.look()
    task.name = "b"
    task.save()
    assert set(live.look()) == {"b"}
    task.delete()
    assert not live.look()


def test_a_name_that_another_source_holds_is_told_and_left_alone(live: Live) -> None:
    from beatd.definition import entry_from
    from beatd.edits import editing

    mine = entry_from("t", {"task": "mine", "every": "1h"})
    editing.add(live.store, mine, live.clock.now)
    live.look()
    add("t")
    assert live.look()["t"].entry.task == "mine"
    assert any("held by" in line for line in live.mirror.conflicts())


def test_a_standby_reads_nothing(live: Live) -> None:
    add("t")
    live.mirror(live.store, False)
    assert not list(live.store.find(Query()))
    assert live.others.call_args.args[:2] == (live.store, False)


def test_a_restart_moves_nothing(live: Live) -> None:
    add("t", args=json.dumps([1]))
    before = live.look()["t"]
    live.restart()
    assert live.look()["t"] == before


def test_the_documented_examples_of_django_celery_beat(live: Live) -> None:
    """From its README: an interval of ten seconds, a crontab with a zone, arguments and expiry."""
    ten, _ = IntervalSchedule.objects.get_or_create(every=10, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.create(interval=ten, name="Importing contacts", task="proj.import")
    PeriodicTask.objects.create(
        interval=ten,
        name="Importing contacts too",
        task="proj.tasks.import_contacts",
        args=json.dumps(["arg1", "arg2"]),
        kwargs=json.dumps({"be_careful": True}),
        expires=datetime.now(UTC) + timedelta(seconds=30),
    )
    half, _ = CrontabSchedule.objects.get_or_create(
        minute="30", hour="*", day_of_week="*", day_of_month="*", month_of_year="*",
        timezone="Canada/Pacific",
    )  # fmt: skip
    PeriodicTask.objects.create(crontab=half, name="Half past", task="proj.import")
    rows = live.look()
    assert all(row.plan.planned is not None for row in rows.values())
    PeriodicTask.objects.filter(name="Half past").update(enabled=False)
    PeriodicTasks.update_changed()
    assert live.look()["Half past"].plan.due is None


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


# Rows that are noticed later than they were written


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


# at the start of a term


def waiting(live: Live, term: int = 1) -> list[str]:
    unapplied = live.mirror.unapplied(term)
    return [row.entry.name for row in live.store.find(Query()) if unapplied.waits(row.entry)]


def test_rows_edited_while_nobody_led_wait_until_they_are_applied(live: Live) -> None:
    for name in "abc":
        add(name)
    live.look()
    live.restart()
    PeriodicTask.objects.get(name="a").delete()
    PeriodicTask.objects.filter(name="b").update(args="[2]")
    assert waiting(live) == ["a", "b", "c"]
    seen: list[dict[str, Any]] = []

    def released() -> None:
        seen.append({row.entry.name: row.entry.args for row in live.store.find(Query())})

    live.mirror(live.store, 1, released)
    assert seen == [{"b": (2,), "c": ()}]
    assert waiting(live) == []
    assert waiting(live, term=2) == ["b", "c"]


def test_rows_that_the_last_leader_saw_need_no_reading(live: Live, monkeypatch: Any) -> None:
    add("a")
    add("wrong", args="[")
    live.look()
    live.restart()
    released: list[bool] = []
    monkeypatch.setattr(live.mirror._rows, "rows", lambda ids: released[0] and iter(()))
    live.mirror(live.store, 1, lambda: released.append(True))
    assert released == [True]


def test_rows_wait_while_their_table_is_away_and_this_is_said(live: Live, monkeypatch: Any) -> None:
    add("a")
    live.look()
    live.restart()
    with monkeypatch.context() as away:

        def refuse() -> str:
            raise StoreError("django-celery-beat: connection refused")

        away.setattr(live.mirror._rows, "marker", refuse)
        live.look()
        assert waiting(live) == ["a"]
        assert live.mirror.conflicts() == [
            "django-celery-beat: connection refused",
            "django-celery-beat:config: its entries wait until its rows are applied",
        ]
    live.look()
    assert (waiting(live), live.mirror.conflicts()) == ([], [])
