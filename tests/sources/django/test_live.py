"""django-celery-beat's tables as a live store: what Django's admin does, beatd does."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

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
from tests.sources.django.live import Live
from tests.sources.django.rows import add, every, marker


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


def test_a_renamed_row_and_an_emptied_table_are_followed(live: Live) -> None:
    task = add("a")
    live.look()
    task.name = "b"
    task.save()
    assert set(live.look()) == {"b"}
    task.delete()
    assert not live.look()


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
