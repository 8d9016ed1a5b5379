"""Compute the arguments of a run when it is published.

For a value that it cannot store, an entry has a placeholder (a dict); the value itself is read from
the Celery app that declares the entry.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from celery import Celery

from beatd.canvas import arguments_of
from beatd.definition.arguments import canonical_json
from beatd.definition.celery_canvas import declared_keys
from beatd.definition.celery_schedule import as_written
from beatd.entry import Entry
from beatd.errors import BeatError, ConfigError, Path, dotted, with_article
from beatd.publishers import lazy_arguments
from beatd.publishers.app_value import DIGEST, MARK, digest_of, is_app_value

APP = "app:"  # how the owner of an app's entries begins
MISSING = object()  # in the place of a value that the app does not declare
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
    theirs = declared(app, entry)
    return (
        values_to_send(args, theirs.get("args"), ("args",)),
        mapping_to_send(kwargs, theirs.get("kwargs"), ("kwargs",)),
    )


def declared(app: Celery, entry: Entry) -> dict[str, Any]:
    """Return what the app declares that the entry runs, with the keys of an entry.

    The dict is empty if the app does not declare the entry, or declares it in an unknown form.
    """
    written = as_written(app.conf.beat_schedule.get(entry.name))
    try:
        return declared_keys(written) if isinstance(written, Mapping) else {}
    except (ConfigError, LookupError, TypeError):
        return {}


def values_to_send(stored: Iterable[Any], theirs: Any, path: Path) -> list[Any]:
    """Return the list of arguments to send, as `value_to_send` does for each of them."""
    return [value_to_send(value, _at(theirs, at), (*path, at)) for at, value in enumerate(stored)]


def mapping_to_send(stored: Mapping[str, Any], theirs: Any, path: Path) -> dict[str, Any]:
    """Return the keyword arguments to send, as `value_to_send` does for each of them."""
    return {
        key: value_to_send(value, _at(theirs, key), (*path, key)) for key, value in stored.items()
    }


def _at(values: Any, key: int | str) -> Any:
    # The value of a list or mapping that an app declares; it may be of any other type as well.
    try:
        return values[key]
    except (LookupError, TypeError):
        return MISSING


def _values(entry: Entry) -> Iterable[Any]:
    if entry.canvas is not None:
        return arguments_of(entry.canvas)
    return (*entry.args, *entry.kwargs.values())


def value_to_send(stored: Any, theirs: Any, path: Path) -> Any:
    """Return the argument to send now for a stored one, and the app's own value in its place.

    The app's value replaces a placeholder, and a stored value with the same JSON text. `path` names
    the argument in errors. Raises BeatError if the app does not have the value of a placeholder.
    """
    if lazy_arguments.is_mark(stored):
        return lazy_arguments.called(stored, theirs)
    if is_app_value(stored):
        return _app_value(dotted(path), stored, theirs)
    if theirs is MISSING:
        return stored
    # Pickle sends the type of the app's value, and `argsrepr` shows it.
    try:
        return theirs if canonical_json(theirs) == canonical_json(stored) else stored
    except (TypeError, ValueError, OverflowError, RecursionError):
        return stored  # the app declares something else by now


def _app_value(place: str, mark: Mapping[str, Any], theirs: Any) -> Any:
    # `mark` is the placeholder of the value; `place` names the argument in the error.
    if theirs is MISSING:
        text = (
            f"its {place} is {with_article(mark[MARK])} that only an app can send, and no app "
            "declares it here"
        )
        raise BeatError(f"{text}; {_RUN}")
    if digest_of(theirs) != mark[DIGEST]:
        raise BeatError(
            f"its {place} is {with_article(mark[MARK])} of the app, and the app that is loaded "
            "here declares another value than the store knows; restart this daemon with the app "
            "as it is now"
        )
    return theirs
