"""The app of the workers of `tests.chaos.overlaps`: a task that notes when it starts and ends."""

import os
import time

from celery import Celery

app = Celery("overlaps", broker=os.environ["OVERLAPS_BROKER"], set_as_current=False)
app.conf.update(
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 20},
    singleton_backend_url=os.environ.get("OVERLAPS_LOCKS", ""),
)


def _note(*words: object) -> None:
    """Append a line to the log of runs, whole, also while the process is killed."""
    log = os.open(os.environ["OVERLAPS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(log, (" ".join(map(str, words)) + "\n").encode())
    finally:
        os.close(log)


def _hold(task_id: str, entry: str, seconds: float) -> None:
    _note("start", entry, task_id, os.getpid(), time.time())
    time.sleep(seconds)
    _note("end", entry, task_id, os.getpid(), time.time())


@app.task(bind=True, name="hold")
def hold(self, entry: str, seconds: float) -> None:  # type: ignore[no-untyped-def]
    _hold(self.request.id, entry, seconds)


@app.task(bind=True, name="hold_late", acks_late=True)
def hold_late(self, entry: str, seconds: float) -> None:  # type: ignore[no-untyped-def]
    _hold(self.request.id, entry, seconds)


if os.environ.get("OVERLAPS_LOCKS"):
    from celery_singleton import Singleton

    @app.task(bind=True, name="hold_singleton", base=Singleton)
    def hold_singleton(self, entry: str, seconds: float) -> None:  # type: ignore[no-untyped-def]
        _hold(self.request.id, entry, seconds)

    app.conf.beat_schedule = {
        f"singleton-{n}": {"task": "hold_singleton", "schedule": 1.0, "args": (f"singleton-{n}", 3)}
        for n in range(3)
    }
