"""Check that a Celery message can carry the arguments and options of a task."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from beatd.definition.arguments import (
    TYPE,
    TYPES,
    VALUE,
    Timestamp,
    exact,
    is_tagged,
    is_type,
    typed,
)
from beatd.errors import ConfigError, with_article
from beatd.schedules.quote import quoted

MAX_DEPTH = 50  # levels of lists and mappings in an argument


def as_argument(value: Any, depth: int = 0) -> Any:
    """Return a task argument as workers will receive it.

    Allowed are JSON values, dates, times, datetimes, Decimals, UUIDs and bytes. Raises ConfigError
    for any other value, and for values nested deeper than MAX_DEPTH. `depth` is the number of lists
    and mappings around this value.
    """
    if value is None or (isinstance(value, (str, int, float)) and type(value) is not Timestamp):
        return as_json(value)
    if isinstance(value, Timestamp):
        try:
            return value.moment()
        except ValueError as error:
            text = f"{quoted(str(value))} is not a date or a time: {error}"
            raise ConfigError(f"{text}; put it in quotes to send it as text") from None
    if is_tagged(value) and is_type(value[TYPE]):
        return _typed(value[TYPE], value[VALUE])
    if isinstance(value, Mapping | list | tuple):
        if depth >= MAX_DEPTH:
            raise ConfigError(f"is nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, list | tuple):
            return [as_argument(item, depth + 1) for item in value]
        return {text_key(key): as_argument(item, depth + 1) for key, item in value.items()}
    try:
        return exact(value)
    except TypeError:
        return as_json(value)
    except ValueError as error:
        raise ConfigError(f"{quoted(value)} cannot be written as JSON: {error}") from None


def _typed(name: str, value: Any) -> Any:
    """Return the date, Decimal or the like that has the type name `name` and the text `value`.

    kombu writes such values in JSON as this pair. Raises ConfigError if the two do not fit.
    """
    try:
        return typed(name, value)
    except ValueError:
        text = f"{quoted(value)} is no value of {TYPE} {name}; write it like {TYPES[name]}"
        raise ConfigError(text) from None


def refuse_one_value(kwargs: Mapping[Any, Any]) -> None:
    """Raise ConfigError if a worker would read these keyword arguments as one value, such as a
    date."""
    if is_tagged(kwargs):
        raise ConfigError(
            f"{quoted(dict(kwargs))} is what a worker reads as one value, not as keyword "
            f"arguments; they cannot be {TYPE} and {VALUE} alone"
        )


def unknown_types(value: Any) -> list[str]:
    """Return each `__type__` name in the value that kombu cannot decode by itself.

    A worker can decode it only if the worker has registered the name.
    """
    if isinstance(value, dict):
        own = [str(value[TYPE])] if is_tagged(value) and not is_type(value[TYPE]) else []
        return own + [name for item in value.values() for name in unknown_types(item)]
    if isinstance(value, (list, tuple)):
        return [name for item in value for name in unknown_types(item)]
    return []


def as_json(value: Any, depth: int = 0) -> Any:
    """Return the value as plain dicts, lists, text, numbers, booleans and None.

    Raises ConfigError if JSON cannot hold the value, or if it is nested deeper than MAX_DEPTH.
    `depth` is the number of lists and mappings around this value.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # The plain text of a subclass, of the YAML reader's or an Enum, whose str() is its name.
        return str.__str__(unicode(value))
    if isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise ConfigError(f"{quoted(value)} does not fit in 64 bits; write it as text")
        return int(value)
    if isinstance(value, float):
        if not isfinite(value):
            raise ConfigError(f"{value} is not in JSON; write it as text")
        return float(value)
    if depth >= MAX_DEPTH:
        raise ConfigError(f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        return {text_key(key): as_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item, depth + 1) for item in value]
    raise ConfigError(
        f"{quoted(value)} is {with_article(type(value).__name__)}, which JSON cannot carry"
    )


def text_key(key: Any) -> str:
    """Return the key of a mapping as a plain str; raise ConfigError if it is not text."""
    if not isinstance(key, str):
        raise ConfigError(f"the key {quoted(key)} is not text")
    return str.__str__(unicode(key))


def unicode(text: str) -> str:
    """Return the text unchanged; raise ConfigError if UTF-8 cannot encode it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{quoted(text)} is no Unicode text; was it read as UTF-8?") from None
    return text
