"""The tasks of `canvases.py`; each call is written to a list in Redis, with its arguments."""

import json
import os
from typing import Any

import redis
from celery import Celery

CALLS = "calls"
NAMES = "abcdelm"
URL = os.environ.get("BEATD_TEST_BROKER", "redis://")

app = Celery("letters", broker=URL, set_as_current=False)
app.conf.update(
    result_backend=os.environ.get("BEATD_TEST_RESULTS"),
    task_default_queue=os.environ.get("BEATD_TEST_QUEUE", "celery"),
    result_chord_retry_interval=0.1,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)


def task_called(name: str) -> None:
    @app.task(name=name, shared=False)
    def called(*args: Any, **kwargs: Any) -> list[Any]:
        with redis.Redis.from_url(URL) as client:
            client.rpush(CALLS, json.dumps([name, args, kwargs]))
        return [name, *args]


for letter in NAMES:
    task_called(letter)
