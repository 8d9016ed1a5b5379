"""Handle task arguments that a Celery app computes for each message by a function.

The function is celery's BeatLazyFunc. The store keeps a placeholder instead: a dict with the
function's name. When the run is published, the function is read from the app's beat_schedule and
called.
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
    """Return the placeholder that is stored instead of the function: a dict with its name."""
    function = value._func
    return {MARK: str(getattr(function, "__qualname__", type(function).__name__))}


def is_mark(value: Any) -> bool:
    """Return True if `value` is a placeholder made by `mark_of`, not an ordinary argument."""
    return isinstance(value, Mapping) and value.keys() == {MARK}


def called(mark: Mapping[str, Any], lazy: Any) -> Any:
    """Call the app's function `lazy` and return its result, to replace the placeholder `mark`.

    Raises BeatError if `lazy` is not a BeatLazyFunc.
    """
    if not isinstance(lazy, BeatLazyFunc):
        raise BeatError(
            f"its argument {mark[MARK]} is a BeatLazyFunc of an app that is not loaded here; "
            "run beatd with -A, or with app: in the configuration"
        )
    return lazy()
