"""Arguments that a Celery app works out anew at each send: celery's BeatLazyFunc.

An entry is data, so a mark stands in its place, and the function is looked up in the app's
beat_schedule when the run is published. Where the app is not loaded the run is refused.
"""

from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.beat import BeatLazyFunc

from beatd.entry import Entry
from beatd.errors import BeatError

MARK = "__beat_lazy_func__"


def marked(arguments: Any) -> Any:
    """args or kwargs with a mark, which names the function, for each BeatLazyFunc in them."""
    if isinstance(arguments, Mapping):
        return {key: _mark(value) for key, value in arguments.items()}
    if isinstance(arguments, list | tuple):
        return [_mark(value) for value in arguments]
    return arguments


def holds_lazy(arguments: Any) -> bool:
    values = arguments.values() if isinstance(arguments, Mapping) else arguments or ()
    return any(isinstance(value, BeatLazyFunc) for value in values)


def has_marks(entry: Entry) -> bool:
    return any(map(_is_mark, (*entry.args, *entry.kwargs.values())))


def evaluated(app: Celery, entry: Entry) -> tuple[list[Any], dict[str, Any]]:
    """The arguments as they are now; BeatError where the app has no such function."""
    if not has_marks(entry):
        return list(entry.args), dict(entry.kwargs)
    written = app.conf.beat_schedule.get(entry.name)
    declared = written if isinstance(written, Mapping) else {}
    args = dict(enumerate(declared.get("args") or ()))
    kwargs = declared.get("kwargs") or {}
    return (
        [_value(value, args.get(place)) for place, value in enumerate(entry.args)],
        {key: _value(value, kwargs.get(key)) for key, value in entry.kwargs.items()},
    )


def _mark(value: Any) -> Any:
    if not isinstance(value, BeatLazyFunc):
        return value
    function = value._func
    return {MARK: str(getattr(function, "__qualname__", type(function).__name__))}


def _is_mark(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {MARK}


def _value(value: Any, lazy: Any) -> Any:
    if not _is_mark(value):
        return value
    if not isinstance(lazy, BeatLazyFunc):
        raise BeatError(
            f"its argument {value[MARK]} is a BeatLazyFunc of an app that is not loaded here; "
            "run beatd with -A, or with app: in the configuration"
        )
    return lazy()
