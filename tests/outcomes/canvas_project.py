"""The app of a worker and a daemon: a task that notes its start and waits until a test lets it end.

The notes are in Redis: the list `starts ENTRY` has "RUN MARK PLANNED" for each delivery of a task.
A mark is the step's name, with "#2" for its second delivery. The list `end RUN MARK` lets it end.
"""

import json
import os
from typing import Any

import redis
from celery import Celery

from beatd import worker

NOTES = os.environ.get("BEATD_TEST_NOTES", "redis://")
HELD_S = 300  # a task that nobody lets end

app = Celery("canvases", broker=os.environ.get("BEATD_TEST_BROKER"), set_as_current=False)
app.conf.update(
    result_backend=os.environ.get("BEATD_TEST_RESULTS"),
    task_default_queue=os.environ.get("BEATD_TEST_QUEUE", "celery"),
    task_create_missing_queues=True,
    result_chord_retry_interval=0.1,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)
worker.report(app, queue=os.environ.get("BEATD_TEST_REPORTS", "beatd.outcomes"))


@app.task(name="canvases.step", shared=False, bind=True)
def step(self: Any, *before: Any, name: str, end: str = "success") -> str:
    """End as told; the message comes again after a "retry", and twice with "twice"."""
    request = self.request
    run, entry = request.headers["beatd_run"], request.headers["periodic_task_name"]
    with redis.Redis.from_url(NOTES, socket_timeout=None) as notes:
        nth = notes.incr(f"deliveries {run} {name}")
        mark = name if nth == 1 else f"{name}#{nth}"
        if end == "twice" and nth == 1:
            self.signature_from_request(request).apply_async()
        notes.rpush(f"starts {entry}", json.dumps([run, mark, request.headers["beatd_planned_at"]]))
        notes.blpop(f"end {run} {mark}", HELD_S)
    if end == "retry" and nth == 1:
        raise self.retry(countdown=0)
    if end == "failure":
        raise ValueError("on purpose")
    return name
