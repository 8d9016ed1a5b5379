"""The app of a Celery worker that executes the runs and reports them to beatd.

`celery -A tests.chaos.worker_app worker`, with its broker in RIG_BROKER; it appends a line of JSON
to the file RIG_EXECUTED for each execution.
"""

import os
import time
from datetime import datetime
from typing import Any

from celery import Celery
from msgspec import Struct, json

from beatd import worker

WORKED = "worked"
BROKER, EXECUTED = "RIG_BROKER", "RIG_EXECUTED"


class Executed(Struct, frozen=True):
    at: float
    entry: str
    planned: datetime
    task_id: str


app = Celery("rig", broker=os.environ.get(BROKER, "memory://"), set_as_current=False)
app.conf.update(
    task_ignore_result=True,
    task_default_queue=WORKED,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_heartbeat=4,
)
worker.report(app)


@app.task(bind=True, name="t", shared=False)
def t(self: Any) -> None:
    request = self.request
    planned = datetime.fromisoformat(request.get("beatd_planned_at"))
    one = Executed(time.time(), request.get("periodic_task_name"), planned, request.id)
    log = os.open(os.environ[EXECUTED], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(log, json.encode(one) + b"\n")
    finally:
        os.close(log)
