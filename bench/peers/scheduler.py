"""APScheduler, whose jobs send Celery tasks.

The misfire grace is off: its default of a second would drop most of a herd.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler
from celery.schedules import crontab
from project import JOB, LONG_AGO, app, entries


def send(number):
    app.send_task("t.herd", [number], queue=JOB["queue"])


def store():
    if JOB["store"].startswith("redis"):
        from urllib.parse import urlsplit

        from apscheduler.jobstores.redis import RedisJobStore

        place = urlsplit(JOB["store"])
        return RedisJobStore(db=int(place.path.strip("/")), host=place.hostname, port=place.port)
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore

    return SQLAlchemyJobStore(JOB["store"])


def fill(scheduler):
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    for name, when, last, args in entries():
        if isinstance(when, crontab):
            given = {"trigger": "cron", "minute": when._orig_minute, "hour": when._orig_hour}
        elif last is None:
            seconds = when.run_every.total_seconds()
            given = {"trigger": "interval", "seconds": seconds, "start_date": soon}
        else:
            at = soon if last == LONG_AGO else last + when.run_every
            given = {"trigger": "date", "run_date": at}
        scheduler.add_job(
            "scheduler:send",
            args=args,
            id=name,
            misfire_grace_time=None,
            max_instances=100,
            **given,
        )


def main():
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_jobstore(store())
    if "fill" in sys.argv:
        scheduler.start(paused=True)
        fill(scheduler)  # and no shutdown, which would look at its jobs once more
        print(time.time())
        return
    scheduler.start()
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
