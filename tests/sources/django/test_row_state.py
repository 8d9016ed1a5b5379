"""Runs and ends of entries, written into the rows of django-celery-beat."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction
from django_celery_beat.models import PeriodicTask

from tests.sources.django.live import Live
from tests.sources.django.rows import add, marker


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
