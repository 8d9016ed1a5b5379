"""Replace arguments that a Celery app computes anew for each message. The app declares such an
argument as celery's BeatLazyFunc.

An entry is data and cannot contain a function. It stores a mark instead: a dict with the function's
name. When the run is published, the function is read from the app's beat_schedule and called. If
the app is not loaded, the run is refused.
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
    """Return the mark that an entry stores instead of this function: a dict with the function's
    name."""
    function = value._func
    return {MARK: str(getattr(function, "__qualname__", type(function).__name__))}


def is_mark(value: Any) -> bool:
    """True if `value`, an argument of an entry, is a mark: a dict that stands for a
    BeatLazyFunc."""
    return isinstance(value, Mapping) and value.keys() == {MARK}


def called(mark: Mapping[str, Any], lazy: Any) -> Any:
    """Call the function `lazy`, which the app declares for the argument `mark`, and return its
    result. A mark is a dict that stands for the function in an entry. Raises BeatError if `lazy` is
    not a BeatLazyFunc."""
    if not isinstance(lazy, BeatLazyFunc):
        raise BeatError(
            f"its argument {mark[MARK]} is a BeatLazyFunc of an app that is not loaded here; "
            "run beatd with -A, or with app: in the configuration"
        )
    return lazy()
