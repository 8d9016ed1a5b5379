"""Capture the messages that celery sends for a canvas, and what it writes to the result backend.

Celery passes a producer to the tasks of a group only: a chain and a chord take one from the app's
pool. So the app, and its result backend, get wrappers that have an effect only in a thread that
captures.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from itertools import count
from types import ModuleType
from typing import Any

import celery.app.base
import celery.canvas
from celery import Celery
from celery.backends.base import Backend

from beatd.publishers.capture import CapturingProducer
from beatd.publishers.chord_counter import write_chord_size
from beatd.publishers.run_ids import RunIds

Effect = Callable[[], object]
_MARK = "beatd_captures"


class _Captured(threading.local):
    producer: CapturingProducer | None = None
    writes = False  # one of the effects is being made
    effects: list[Effect]
    ids: Iterator[str]


_now = _Captured()


@contextmanager
def captured(app: Celery, producer: CapturingProducer, ids: RunIds) -> Iterator[list[Effect]]:
    """Within this context, all messages of the app in this thread go to `producer`.

    Celery's random ids are made by `ids` from numbers, so that they are the same the next time.
    Yield the list of the writes to the result backend that celery wanted to make for a chord;
    they are not made.
    """
    for module in (celery.canvas, celery.app.base):
        _wrap_uuid(module)
    _wrap_app(app)
    _wrap_backend(app.backend)
    _now.ids = (ids.of(f"random {number}") for number in count())
    _now.producer, _now.effects = producer, []
    try:
        yield _now.effects
    finally:
        _now.producer = None


def _wrap_uuid(module: ModuleType) -> None:
    original = vars(module)["uuid"]
    if hasattr(original, _MARK):
        return

    @wraps(original)
    def uuid() -> str:
        return original() if _now.producer is None else next(_now.ids)

    setattr(uuid, _MARK, True)
    vars(module)["uuid"] = uuid


def _wrap_app(app: Celery) -> None:
    original = app.producer_or_acquire
    if hasattr(original, _MARK):
        return

    @wraps(original)
    def producer_or_acquire(producer: Any = None) -> Any:
        return original(producer or _now.producer)

    setattr(producer_or_acquire, _MARK, True)
    app.producer_or_acquire = producer_or_acquire


def _wrap_backend(backend: Any) -> None:
    if hasattr(backend, _MARK):
        return
    setattr(backend, _MARK, True)
    _replace(backend, "apply_chord", _apply_chord)
    _replace(backend, "set_chord_size", _set_chord_size)
    # It subscribes to the result of each task of a group, for ever.
    _replace(backend, "add_pending_result", _nothing)


def _replace(backend: Any, name: str, captures: Callable[..., Any]) -> None:
    original = getattr(backend, name, None)
    if original is None:  # an older celery, or a backend without results
        return

    @wraps(original)
    def method(*args: Any, **kwargs: Any) -> Any:
        if _now.producer is None and not (_now.writes and captures is _nothing):
            return original(*args, **kwargs)
        return captures(backend, original, *args, **kwargs)

    setattr(backend, name, method)


def _later(_backend: Any, original: Any, *args: Any, **kwargs: Any) -> None:
    _now.effects.append(partial(_write, partial(original, *args, **kwargs)))


def _set_chord_size(backend: Any, original: Any, group_id: str, size: int) -> None:
    if getattr(original, "__func__", None) is Backend.set_chord_size:
        return  # it does nothing
    _now.effects.append(
        partial(_write, partial(write_chord_size, backend, original, group_id, size))
    )


def _write(effect: Effect) -> None:
    _now.writes = True
    try:
        effect()
    finally:
        _now.writes = False


def _apply_chord(backend: Any, original: Any, *args: Any, **kwargs: Any) -> None:
    backend.ensure_chords_allowed()
    if getattr(original, "__func__", None) is Backend.apply_chord:
        # It writes nothing, but sends the task celery.chord_unlock, which is captured.
        original(*args, **kwargs)
    else:
        _later(backend, original, *args, **kwargs)


def _nothing(_backend: Any, _original: Any, result: Any, *_args: Any, **_kwargs: Any) -> Any:
    return result
