"""What the workers of these tests run; broker and results come from the environment."""

import json
import os
from typing import Any

from celery import Celery

app = Celery("project", set_as_current=False)
app.conf.update(
    broker_url=os.environ.get("BEATD_TEST_BROKER", "memory://"),
    broker_transport_options=json.loads(os.environ.get("BEATD_TEST_OPTIONS", "{}")),
    result_backend=os.environ.get("BEATD_TEST_RESULTS"),
    task_default_queue=os.environ.get("BEATD_TEST_QUEUE", "celery"),
    accept_content=["json", "msgpack", "yaml", "pickle"],
    result_expires=300,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)


@app.task(name="project.add", shared=False)
def add(x: int, y: int) -> int:
    return x + y


@app.task(name="project.told", shared=False, bind=True)
def told(self: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """What arrived, as the task sees it."""
    request = self.request
    return {
        "args": list(args),
        "kwargs": kwargs,
        "id": request.id,
        "expires": request.expires,
        "eta": request.eta,
        "entry": request.headers["periodic_task_name"],
        "planned": request.headers["beatd_planned_at"],
        "beat": request.headers["celery_beat_task"],
        "x": request.headers.get("x"),
        "timelimit": list(request.timelimit or ()),
        "correlation_id": request.correlation_id,
        "routing_key": request.delivery_info["routing_key"],
    }


@app.task(name="project.types", shared=False)
def types(*args: Any, **kwargs: Any) -> str:
    """What arrived, its types included."""
    return repr((args, kwargs))


@app.task(name="project.fail", shared=False)
def fail() -> None:
    raise ValueError("on purpose")


@app.task(name="project.note", shared=False)
def note(key: str, *values: Any) -> None:
    """Leaves a trace where a test can find it."""
    app.backend.client.set(key, "noted", ex=300)
