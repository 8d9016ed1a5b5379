"""The messages of a canvas, with what differs between two runs of it replaced."""

from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import Mock
from uuid import UUID

from celery import Celery
from celery.canvas import Signature

from beatd.definition import codec, entry_from
from beatd.entry import Entry
from beatd.publisher import Outcome
from beatd.publishers.celery import CeleryPublisher
from beatd.run import Run
from tests.publishers.runs import always

OURS = {"celery_beat_task", "periodic_task_name", "beatd_planned_at", "beatd_run", "beatd_part"}
MOMENTS = {"eta", "expires", "expiration"}


def entry_of(plain: Mapping[str, Any], options: Mapping[str, Any]) -> Entry:
    entry = entry_from("the canvas", {"every": "1h", **plain, "options": options})
    return codec.decode(entry.name, codec.encode(entry), "cli", "")


def without_subscriptions(app: Celery) -> None:
    """Keep celery from subscribing to results, over a connection that stays open until much later.

    A result that is deleted, whenever that is, would end its subscription over another one.
    """
    backend = app.backend
    backend.add_pending_result = backend.remove_pending_result = backend.on_task_call = Mock()


def signature(app: Celery) -> Callable[..., Signature]:
    return lambda task, *args, **kwargs: Signature(task, args, kwargs, app=app)


def alike(value: Any, ids: dict[str, str]) -> Any:
    """Return the value without beatd's headers, each id replaced by its number of appearance."""
    if isinstance(value, dict):
        alikes = {}
        for key, item in value.items():
            if key in OURS or key in ("argsrepr", "kwargsrepr", "delivery_tag"):
                continue
            if key == "headers" and not set(item) - OURS:
                continue
            alikes[key] = bool(item) if key in MOMENTS else alike(item, ids)
        return alikes
    if isinstance(value, list):
        return [alike(item, ids) for item in value]
    if isinstance(value, str) and is_id(value):
        return ids.setdefault(value, f"id {len(ids)}")
    return value


def is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def publish(app: Celery, *runs: Run) -> list[Outcome]:
    publisher = CeleryPublisher(app=app)
    try:
        return list(publisher.publish(list(runs), always))
    finally:
        publisher.close()
