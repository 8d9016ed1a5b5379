"""The project beatd was made for: two queues on a topic exchange, msgpack tasks, JSON results."""

import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from kombu import Exchange, Queue

app = Celery("seeds", set_as_current=False)

tasks = Exchange("seeds", type="topic")

app.conf.update(
    broker_url=os.environ.get("BEATD_TEST_BROKER", "memory://"),
    result_backend=os.environ.get("BEATD_TEST_RESULTS"),
    timezone="Asia/Shanghai",
    task_serializer="msgpack",
    result_serializer="json",
    accept_content=["json", "msgpack"],
    result_expires=300,
    broker_connection_retry_on_startup=True,
    task_default_queue="foo",
    task_default_exchange="seeds",
    task_default_exchange_type="topic",
    task_default_routing_key="foo.any",
    task_queues=[
        Queue("foo", tasks, routing_key="foo.#"),
        Queue("feed_task", tasks, routing_key="*.feed"),
    ],
    task_routes={
        "seeds.multiply": {"queue": "feed_task", "routing_key": "mul.feed"},
        "seeds.add": {"queue": "foo", "routing_key": "foo.add"},
    },
    beat_schedule={
        "weekly": {
            "task": "seeds.add",
            "schedule": crontab(hour=15, minute=29, day_of_week=6),
            "args": (300, 12),
        },
        "half-minute": {
            "task": "seeds.multiply",
            "schedule": 30.0,
            "args": (2, 2),
        },
        "by-key": {
            "task": "seeds.where",
            "schedule": 30.0,
            "options": {"exchange": "seeds", "routing_key": "other.feed"},
        },
    },
)


@app.task(name="seeds.add", shared=False, bind=True)
def add(self: Any, x: int, y: int) -> list[Any]:
    return [x + y, self.request.delivery_info["routing_key"]]


@app.task(name="seeds.multiply", shared=False, bind=True)
def multiply(self: Any, x: int, y: int) -> list[Any]:
    return [x * y, self.request.delivery_info["routing_key"]]


@app.task(name="seeds.where", shared=False, bind=True)
def where(self: Any) -> list[Any]:
    return [None, self.request.delivery_info["routing_key"]]
