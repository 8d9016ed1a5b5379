"""What every peer runs: a Celery app, told by BENCH_JOB (JSON) what to schedule and where."""

import json
import os
from datetime import UTC, datetime, timedelta

from celery import Celery
from celery.schedules import crontab, schedule

JOB = json.loads(os.environ["BENCH_JOB"])
HOUR = 3600
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

app = Celery("bench", broker=JOB["broker"])
app.conf.update(
    timezone="UTC",
    task_default_queue=JOB["queue"],
    redbeat_redis_url=JOB["store"],
    beat_dburi=JOB["store"],
    worker_hijack_root_logger=False,
    **JOB.get("settings", {}),
)
if JOB["broker"].startswith("amqp") and JOB.get("confirms"):
    app.conf.broker_transport_options = {"confirm_publish": True}


def entries():
    """(name, schedule, last run, arguments) of all that is to be scheduled."""
    kind, count = JOB["kind"], JOB["entries"]
    if kind == "herd":
        at = datetime.fromtimestamp(JOB["at"], UTC)
        for n in range(count):
            yield f"entry-{n}", schedule(timedelta(hours=1)), at - timedelta(hours=1), [n]
    elif kind == "steady":
        for n in range(count):
            yield f"entry-{n}", schedule(timedelta(seconds=1)), None, [n]
    else:
        far = datetime.now(UTC) + timedelta(hours=3)
        for n in range(count):
            moment = far + timedelta(minutes=n % (20 * 60))
            yield f"entry-{n}", crontab(minute=moment.minute, hour=moment.hour), None, [n]
        yield "probe", schedule(timedelta(hours=1)), LONG_AGO, [0]


if JOB["system"] == "celery-beat":
    app.conf.beat_schedule = {
        name: {"task": "t.herd", "schedule": when, "args": args}
        | ({"last_run_at": last} if last else {})
        for name, when, last, args in entries()
    }
