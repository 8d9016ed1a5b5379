"""Importing the reports costs an app little, and installing them twice changes nothing."""

import subprocess
import sys

from celery import Celery, signals

from beatd import worker

LOADED = """
import sys
import beatd.worker
rooms = {name.split(".")[1] for name in sys.modules if name.startswith("beatd.")}
print(*sorted(rooms), *sorted({"sqlalchemy", "rich", "croniter"} & set(sys.modules)))
"""


def test_the_import_loads_neither_the_daemon_nor_a_store() -> None:
    # Celery itself loads click, and kombu yaml.
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, check=True)
    values = [
        "canvas",
        "entry",
        "outcome",
        "report",
        "report_queue",
        "run",
        "run_part",
        "schedule",
        "secret",
        "servers",
        "worker",
    ]
    assert set(loaded.stdout.decode().split()) <= set(values)


def test_the_reports_are_installed_once() -> None:
    app = Celery("installed", broker="memory://", set_as_current=False)
    worker.report(app)
    before = len(signals.task_received.receivers)
    worker.report(app)
    worker.report(app, queue="other")
    assert len(signals.task_received.receivers) == before
