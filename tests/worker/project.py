"""What the workers of these tests run: tasks that end in every way, and reports about them."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import Celery
from celery.exceptions import Ignore, Reject

from beatd import worker
from beatd.worker import report_sender

app = Celery("outcomes", set_as_current=False)
app.conf.update(
    broker_url=os.environ.get("BEATD_TEST_BROKER", "memory://"),
    broker_transport_options=json.loads(os.environ.get("BEATD_TEST_OPTIONS", "{}")),
    task_default_queue=os.environ.get("BEATD_TEST_QUEUE", "celery"),
    task_ignore_result=True,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    worker_lost_wait=0.1,
    worker_cancel_long_running_tasks_on_connection_loss=True,
)
if held_every := os.environ.get("BEATD_TEST_HELD_EVERY_S"):
    vars(report_sender)["HELD_EVERY_S"] = float(held_every)
if reports := os.environ.get("BEATD_TEST_REPORTS"):
    worker.report(app, queue=reports)
    worker.report(app, queue=reports)


@app.task(name="outcomes.add", shared=False)
def add(x: int, y: int) -> int:
    return x + y


@app.task(name="outcomes.fail", shared=False)
def fail(text: str) -> None:
    raise ValueError(text)


@app.task(name="outcomes.flaky", shared=False, bind=True)
def flaky(self: Any, **headers: Any) -> None:
    """Succeeds the second time; `headers` replace those of the message."""
    if self.request.retries == 0:
        more = {"headers": headers} if headers else {}
        raise self.retry(countdown=0, exc=ValueError("not yet"), **more)


@app.task(name="outcomes.die", shared=False)
def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="outcomes.die_once", shared=False, acks_late=True, reject_on_worker_lost=True)
def die_once(mark: str) -> None:
    if not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)


@app.task(name="outcomes.wait", shared=False)
def wait(mark: str) -> None:
    """Wait until the file exists."""
    while not Path(mark).exists():
        time.sleep(0.02)


@app.task(name="outcomes.wait_after_end", shared=False)
def wait_after_end(mark: str) -> None:
    """Wait until the file exists, also after SIGTERM; then the process notes its end in it."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    while not Path(mark).exists():
        time.sleep(0.02)
    Path(mark).write_text(str(time.time()))
    os._exit(0)


@app.task(name="outcomes.ignore", shared=False)
def ignore() -> None:
    raise Ignore


@app.task(name="outcomes.reject", shared=False, acks_late=True)
def reject(mark: str) -> None:
    """Is rejected: goes back to the queue the first time."""
    again = not Path(mark).exists()
    Path(mark).touch()
    raise Reject("not mine", requeue=again)
