"""Compute the arguments of a run when it is published.

For a value that it cannot store, an entry has a placeholder (a dict); the value itself is read from
the Celery app that declares the entry.
"""

from collections.abc import Mapping
from typing import Any

from celery import Celery

from beatd.definition.arguments import canonical_json
from beatd.entry import Entry
from beatd.errors import BeatError
from beatd.publishers import lazy_arguments
from beatd.publishers.app_value import DIGEST, MARK, digest_of, is_app_value

APP = "app:"  # how the owner of an app's entries begins
_MISSING = object()
_RUN = "run beatd with -A, or with app: in the configuration"


def has_marks(entry: Entry) -> bool:
    """Return True if an argument of the entry stands for a value or function of the app."""
    return has_app_value(entry) or any(map(lazy_arguments.is_mark, _values(entry)))


def has_app_value(entry: Entry) -> bool:
    """Return True if an argument of the entry stands for an object of the app.

    A placeholder for a function (BeatLazyFunc) does not count.
    """
    return any(map(is_app_value, _values(entry)))


def evaluated(app: Celery, entry: Entry) -> tuple[list[Any], dict[str, Any]]:
    """Return the args and kwargs to send now, with placeholders replaced by the app's values.

    If the app's own value has the same JSON text as the stored one, the app's value is returned: a
    tuple stays a tuple, and an Enum an Enum. Raises BeatError if the app does not have the value.
    """
    args, kwargs = list(entry.args), dict(entry.kwargs)
    if not (entry.source.startswith(APP) or has_marks(entry)):
        return args, kwargs
    theirs = _declared(app.conf.beat_schedule.get(entry.name))
    return (
        [_value(f"args[{at}]", value, theirs.get(at, _MISSING)) for at, value in enumerate(args)],
        {
            key: _value(f"kwargs.{key}", value, theirs.get(key, _MISSING))
            for key, value in kwargs.items()
        },
    )


def _values(entry: Entry) -> tuple[Any, ...]:
    return (*entry.args, *entry.kwargs.values())


def _declared(entry: Any) -> dict[int | str, Any]:
    # `entry` is a dict, a ScheduleEntry of celery, or None; keys are indexes and keywords.
    if isinstance(entry, Mapping):
        args, kwargs = entry.get("args"), entry.get("kwargs")
    else:
        args, kwargs = getattr(entry, "args", None), getattr(entry, "kwargs", None)
    return {**dict(enumerate(args or ())), **(kwargs or {})}


def _value(place: str, stored: Any, theirs: Any) -> Any:
    # The app's value `theirs` replaces a placeholder, and a stored value with the same JSON text.
    # `place` names the argument in errors.
    if lazy_arguments.is_mark(stored):
        return lazy_arguments.called(stored, theirs)
    if is_app_value(stored):
        return _app_value(place, stored, theirs)
    if theirs is _MISSING:
        return stored
    # Pickle sends the type of the app's value, and `argsrepr` shows it.
    try:
        return theirs if canonical_json(theirs) == canonical_json(stored) else stored
    except (TypeError, ValueError, OverflowError, RecursionError):
        return stored  # the app declares something else by now


def _app_value(place: str, mark: Mapping[str, Any], theirs: Any) -> Any:
    # `mark` is the placeholder of the value; `place` names the argument in the error.
    if theirs is _MISSING:
        text = (
            f"its {place} is a {mark[MARK]} that only an app can send, and no app declares it here"
        )
        raise BeatError(f"{text}; {_RUN}")
    if digest_of(theirs) != mark[DIGEST]:
        raise BeatError(
            f"its {place} is a {mark[MARK]} of the app, and the app that is loaded here declares "
            "another value than the store knows; restart this daemon with the app as it is now"
        )
    return theirs
