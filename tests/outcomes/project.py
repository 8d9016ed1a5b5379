"""The app of the tests' worker and daemon: a broker and a store of files."""

import os
from pathlib import Path

from celery import Celery

from beatd import worker

BROKER = Path(os.environ["TEST_BROKER"])

app = Celery("project", broker="filesystem://", set_as_current=False)
app.conf.update(
    broker_transport_options={
        "data_folder_in": str(BROKER / "queue"),
        "data_folder_out": str(BROKER / "queue"),
        "control_folder": str(BROKER / "control"),
        "polling_interval": 0.05,
    },
    broker_connection_retry_on_startup=True,
    worker_enable_remote_control=False,
    task_ignore_result=True,
)
worker.report(app)


@app.task(name="project.ok")  # type: ignore[untyped-decorator]  # celery has no types
def ok() -> None:
    """End well."""


@app.task(name="project.bad")  # type: ignore[untyped-decorator]  # celery has no types
def bad() -> None:
    """Raise an error."""
    raise ValueError("no such thing")
