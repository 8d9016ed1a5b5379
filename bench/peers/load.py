"""Fill a peer's store with the entries of BENCH_JOB; with `edit`, add one that is due at once.

Prints the time at which that was committed.
"""

import json
import os
import sys
import time
from datetime import timedelta

from celery.schedules import crontab, schedule
from project import JOB, LONG_AGO, app, entries

CHUNK = 5000


def every_second():
    return [("edited", schedule(timedelta(seconds=1)), LONG_AGO, [1])]


def fill_redbeat(given):
    from redbeat.schedulers import RedBeatSchedulerEntry, ensure_conf

    ensure_conf(app)
    for name, when, last, args in given:
        options = {"queue": JOB["queue"]}
        entry = RedBeatSchedulerEntry(name, "t.herd", when, args=args, options=options, app=app)
        if last is not None:
            entry.last_run_at = last
        entry.save()


def fill_django(given):
    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django_celery_beat.models import (
        CrontabSchedule,
        IntervalSchedule,
        PeriodicTask,
        PeriodicTasks,
    )

    call_command("migrate", verbosity=0)
    known, tasks = {}, []
    for name, when, last, args in given:
        if isinstance(when, crontab):
            key = (when._orig_minute, when._orig_hour)
            if key not in known:
                known[key], _ = CrontabSchedule.objects.get_or_create(minute=key[0], hour=key[1])
            tied = {"crontab": known[key]}
        else:
            key = when.run_every.total_seconds()
            if key not in known:
                known[key], _ = IntervalSchedule.objects.get_or_create(
                    every=int(key), period=IntervalSchedule.SECONDS
                )
            tied = {"interval": known[key]}
        args = json.dumps(args)
        tasks.append(
            PeriodicTask(
                name=name, task="t.herd", args=args, queue=JOB["queue"], last_run_at=last, **tied
            )
        )
    PeriodicTask.objects.bulk_create(tasks, batch_size=CHUNK)
    PeriodicTasks.update_changed()


def fill_sqlalchemy(given):
    from datetime import UTC, datetime

    import sqlalchemy as sa
    from sqlalchemy_celery_beat.models import (
        CrontabSchedule,
        IntervalSchedule,
        PeriodicTask,
        PeriodicTaskChanged,
    )
    from sqlalchemy_celery_beat.schedulers import DEFAULT_BEAT_SCHEMA
    from sqlalchemy_celery_beat.session import SessionManager

    manager = SessionManager()
    engine, new_session = manager.create_session(JOB["store"], schema=DEFAULT_BEAT_SCHEMA)
    manager.prepare_models(engine, schema=DEFAULT_BEAT_SCHEMA)
    known, rows = {}, []
    with new_session() as session:
        for name, when, last, args in given:
            if isinstance(when, crontab):
                key = (when._orig_minute, when._orig_hour)
                made = CrontabSchedule(minute=str(key[0]), hour=str(key[1]), timezone="UTC")
            else:
                key = when.run_every.total_seconds()
                made = IntervalSchedule(every=int(key), period="seconds")
            if key not in known:
                session.add(made)
                session.flush()
                known[key] = (made.discriminator, made.id)
            kind, number = known[key]
            rows.append(
                {
                    "name": name, "task": "t.herd", "args": json.dumps(args), "kwargs": "{}",
                    "queue": JOB["queue"], "last_run_at": last, "enabled": True,
                    "discriminator": kind, "schedule_id": number, "headers": "{}",
                }
            )  # fmt: skip
        for first in range(0, len(rows), CHUNK):
            session.execute(sa.insert(PeriodicTask), rows[first : first + CHUNK])
        now = datetime.now(UTC)
        if session.get(PeriodicTaskChanged, 1) is None:
            session.add(PeriodicTaskChanged(id=1, last_update=now))
        else:
            session.get(PeriodicTaskChanged, 1).last_update = now
        session.commit()


FILL = {
    "redbeat": fill_redbeat,
    "django-celery-beat": fill_django,
    "sqlalchemy-celery-beat": fill_sqlalchemy,
}

if __name__ == "__main__":
    FILL[JOB["system"]](every_second() if "edit" in sys.argv else entries())
    print(time.time())
