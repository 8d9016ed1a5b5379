"""The demo Celery app of `make run`, with a few small tasks and an embedded broker."""

from pathlib import Path
from random import random
from time import sleep

from celery import Celery

from beatd import worker

BROKER = Path(".run/broker")

app = Celery("demo", broker="filesystem://", set_as_current=False)
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(BROKER / "queue"),
        "data_folder_out": str(BROKER / "queue"),
        "control_folder": str(BROKER / "control"),
        "polling_interval": 0.2,
    },
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    task_ignore_result=True,
)
for folder in ("queue", "control"):
    (BROKER / folder).mkdir(parents=True, exist_ok=True)
worker.report(app)  # so that `beatd history` shows what became of the runs


@app.task(name="demo.add")  # type: ignore[untyped-decorator]  # celery has no types
def add(x: float, y: float) -> float:
    """Return the sum of two numbers."""
    return x + y


@app.task(name="demo.fail")  # type: ignore[untyped-decorator]  # celery has no types
def fail(what: str) -> None:
    """Raise a ConnectionError which says that `what` does not answer."""
    raise ConnectionError(f"{what} does not answer")


@app.task(name="demo.wait")  # type: ignore[untyped-decorator]  # celery has no types
def wait(up_to: float) -> float:
    """Wait for a random time of at most `up_to` seconds, and return this time."""
    seconds = random() * up_to
    sleep(seconds)
    return seconds


@app.task(name="demo.say")  # type: ignore[untyped-decorator]  # celery has no types
def say(text: str) -> str:
    """Return the text unchanged."""
    return text
