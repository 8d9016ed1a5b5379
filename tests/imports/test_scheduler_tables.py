"""sqlalchemy-celery-beat's own tables, and those of its ancestor."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from beatd.errors import BeatError
from beatd.imports import Imported, to_entries
from beatd.imports.readers import SourceOptions, read

LAST = datetime(2026, 11, 20, 13, 5, 7, tzinfo=UTC)


def taken(source: str, **wishes: Any) -> Imported:
    opened = read(source, SourceOptions(**wishes))
    made = to_entries(opened.read.found, timezone=opened.timezone, source=opened.kind)
    return Imported(made.entries, (*opened.read.refused, *made.refused))


def test_the_rows_of_sqlalchemy_celery_beat_are_carried_over(tmp_path: Path) -> None:
    models = pytest.importorskip("sqlalchemy_celery_beat.models")
    session = pytest.importorskip("sqlalchemy_celery_beat.session")
    url = f"sqlite:///{tmp_path}/scb.db"
    manager = session.SessionManager()
    engine, Session = manager.create_session(url, schema=None)
    manager.prepare_models(engine, schema=None)
    with Session() as db:
        hourly = models.IntervalSchedule(every=1, period=models.Period.HOURS)
        office = models.CrontabSchedule(
            minute="0", hour="9", day_of_week="1-5", timezone="Europe/Berlin"
        )
        once = models.ClockedSchedule(clocked_time=datetime(2027, 1, 1, 9, tzinfo=UTC))
        db.add_all([hourly, office, once])
        db.flush()
        db.add_all(
            [
                models.PeriodicTask(
                    name="hourly", task="t.hourly", schedule_model=hourly, args="[1]",
                    queue="q", priority=3, expire_seconds=60, last_run_at=LAST, total_run_count=7,
                ),
                models.PeriodicTask(name="office", task="t.office", schedule_model=office),
                models.PeriodicTask(
                    name="once", task="t.once", schedule_model=once, one_off=True, enabled=False
                ),
                models.PeriodicTask(
                    name="ends", task="t.ends", schedule_model=hourly, expires=LAST
                ),
            ]
        )  # fmt: skip
        db.commit()
    engine.dispose()

    made = taken(f"sqlalchemy-celery-beat+{url}")

    assert not made.refused
    entries = {one.entry.name: one for one in made.entries}
    hourly_one = entries["hourly"]
    assert (hourly_one.last, hourly_one.runs) == (LAST, 7)
    assert hourly_one.entry.options == {"queue": "q", "priority": 3, "expires": 60}
    # sqlalchemy-celery-beat sends it with the message, and has it end the entry by its name.
    ends = entries["ends"].entry
    assert (ends.options, ends.end) == ({"expires": LAST.isoformat()}, LAST)
    assert entries["office"].entry.tz == "Europe/Berlin"
    assert entries["once"].entry.schedule.plain()["at"]
    assert not entries["once"].entry.enabled


def test_the_tables_of_celery_sqlalchemy_scheduler_are_carried_over(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/css.db"
    engine = create_engine(url)
    with engine.begin() as db:
        for line in (
            "CREATE TABLE celery_interval_schedule (id INTEGER, every INTEGER, period VARCHAR)",
            "CREATE TABLE celery_crontab_schedule (id INTEGER, minute VARCHAR, hour VARCHAR,"
            " day_of_week VARCHAR, day_of_month VARCHAR, month_of_year VARCHAR, timezone VARCHAR)",
            "CREATE TABLE celery_solar_schedule (id INTEGER, event VARCHAR, latitude FLOAT,"
            " longitude FLOAT)",
            "CREATE TABLE celery_periodic_task (id INTEGER, name VARCHAR, task VARCHAR, args TEXT,"
            " kwargs TEXT, queue VARCHAR, exchange VARCHAR, routing_key VARCHAR, priority INTEGER,"
            " expires DATETIME, one_off BOOLEAN, start_time DATETIME, enabled BOOLEAN,"
            " last_run_at DATETIME, total_run_count INTEGER, date_changed DATETIME,"
            " interval_id INTEGER, crontab_id INTEGER, solar_id INTEGER)",
            "INSERT INTO celery_interval_schedule VALUES (1, 10, 'seconds')",
            "INSERT INTO celery_crontab_schedule VALUES (1, '0', '4', '*', '*', '*', 'UTC')",
            "INSERT INTO celery_crontab_schedule VALUES (2, '0', '4', '7', '*', '*', 'UTC')",
        ):
            db.execute(text(line))
        db.execute(text(f"INSERT INTO celery_interval_schedule VALUES (2, {10**18}, 'days')"))
        rows = [("every", 1, None), ("four", None, 1), ("sunday", None, 2), ("none", None, None)]
        rows += [("deep", 1, None), ("huge", 2, None), ("when", 1, None)]
        for number, (name, interval, crontab) in enumerate(rows):
            db.execute(
                text(
                    "INSERT INTO celery_periodic_task (id, name, task, args, kwargs, enabled,"
                    " total_run_count, interval_id, crontab_id)"
                    " VALUES (:id, :name, 't', '[]', '{}', 1, 0, :interval, :crontab)"
                ),
                {"id": number, "name": name, "interval": interval, "crontab": crontab},
            )
        set_to = "UPDATE celery_periodic_task SET {} WHERE name = '{}'".format
        db.execute(text(set_to("args = :args", "deep")), {"args": "[" * 50_000 + "]" * 50_000})
        db.execute(text(set_to("last_run_at = 'yesterday'", "when")))
    engine.dispose()

    made = taken(f"celery-sqlalchemy-scheduler+{url}")

    assert [one.entry.name for one in made.entries] == ["every", "four"]
    reasons = {no.name: no.reason for no in made.refused}
    assert "7" in reasons["sunday"]
    assert "no schedule" in reasons["none"]
    assert reasons["deep"].endswith(" nested deeper than 50 levels")
    assert reasons["huge"].startswith("has a number that is too large")
    assert "yesterday" in reasons["when"]


@pytest.mark.parametrize("column", ["name", "args", "crontab_minute"])
def test_a_row_whose_text_is_no_utf8_is_refused_by_name_and_the_rest_carried_over(
    tmp_path: Path, column: str
) -> None:
    file = tmp_path / "css.db"
    with closing(sqlite3.connect(file)) as db:
        db.executescript(
            """
            CREATE TABLE celery_crontab_schedule (id INTEGER, minute, hour, day_of_week,
                day_of_month, month_of_year, timezone);
            INSERT INTO celery_crontab_schedule VALUES (1, '0', '*', '*', '*', '*', 'UTC'),
                (2, '0', '*', '*', '*', '*', 'UTC');
            CREATE TABLE celery_periodic_task (id INTEGER, name, task, crontab_id, args, kwargs,
                enabled, last_run_at, total_run_count);
            INSERT INTO celery_periodic_task VALUES
                (1, 'bad', 't.bad', 1, '[]', '{}', 1, NULL, 0),
                (2, 'good', 't.good', 2, '[]', '{}', 1, NULL, 0);
            """
        )
        table, name = "celery_periodic_task", column
        if column.startswith("crontab_"):
            table, name = "celery_crontab_schedule", column.removeprefix("crontab_")
        db.execute(f"UPDATE {table} SET {name} = CAST(x'ff41' AS TEXT) WHERE id = 1")
        db.commit()

    made = taken(f"celery-sqlalchemy-scheduler+sqlite:///{file}")

    assert [one.entry.name for one in made.entries] == ["good"]
    (refusal,) = made.refused
    assert refusal.reason == f"{column}: not UTF-8"
    assert refusal.name == ("\\xffA" if column == "name" else "bad")


def test_a_database_without_the_tables_and_one_that_is_away_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.db").touch()
    with pytest.raises(BeatError, match="there is no table"):
        taken(f"django-celery-beat+sqlite:///{tmp_path}/x.db")
    with pytest.raises(BeatError) as error:
        taken("django-celery-beat+postgresql://joe:secret@127.0.0.1:1/x")
    assert "secret" not in str(error.value)
