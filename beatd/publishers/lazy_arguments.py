"""Arguments that a Celery app works out anew at each send: celery's BeatLazyFunc.

An entry is data, so a mark stands in its place, and the function is looked up in the app's
beat_schedule when the run is published. Where the app is not loaded the run is refused.
"""

from collections.abc import Mapping
from typing import Any

from celery.beat import BeatLazyFunc

from beatd.errors import BeatError

MARK = "__beat_lazy_func__"


def is_lazy(value: Any) -> bool:
    return isinstance(value, BeatLazyFunc)


def holds_lazy(arguments: Any) -> bool:
    values = arguments.values() if isinstance(arguments, Mapping) else arguments or ()
    return any(map(is_lazy, values))


def mark_of(value: BeatLazyFunc) -> dict[str, str]:
    """The mark, which names the function."""
    function = value._func
    return {MARK: str(getattr(function, "__qualname__", type(function).__name__))}


def is_mark(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {MARK}


def called(mark: Mapping[str, Any], lazy: Any) -> Any:
    """What the app's function returns now; BeatError where the app has none there."""
    if not isinstance(lazy, BeatLazyFunc):
        raise BeatError(
            f"its argument {mark[MARK]} is a BeatLazyFunc of an app that is not loaded here; "
            "run beatd with -A, or with app: in the configuration"
        )
    return lazy()
