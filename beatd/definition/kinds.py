"""What a value may be: how it is read from plain data, and what an editor is told about it.

Every reader raises ConfigError with what came and what would do; where it stood is the caller's
to say.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from msgspec import Struct

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
from beatd.errors import ConfigError
from beatd.problem import nearest
from beatd.schedules.duration import format_duration, parse_duration
from beatd.schedules.moment import format_moment, parse_moment
from beatd.schedules.quote import quoted
from beatd.schedules.zone import zone_name

# YAML 1.1 called these true and false; here they are text, except where only a flag can stand.
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
MAX_DEPTH = 50


def _unchanged(value: Any) -> Any:
    return value


class Kind(Struct, frozen=True):
    """One type of value: how YAML's value is read, its JSON Schema, and how YAML is written.

    `read` gets the value, and the zone of moments without an offset.
    """

    read: Callable[[Any, str], Any]
    schema: dict[str, Any]
    write: Callable[[Any], Any] = _unchanged


def text(what: str = "text", longest: int = 1000) -> Kind:
    def read(value: Any, _tz: str) -> str:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise ConfigError(f"{quoted(value)} is not {what}")
        if not value.strip():
            raise ConfigError(f"is empty; give {what}")
        if len(value) > longest:
            raise ConfigError(f"is {len(value)} characters long; at most {longest} will do")
        if not value.isprintable():
            raise ConfigError(f"{quoted(value)} has control characters in it")
        return str.__str__(value)

    return Kind(read, {"type": "string", "minLength": 1, "maxLength": longest})


def prose() -> Kind:
    def read(value: Any, _tz: str) -> str:
        if isinstance(value, str) and len(value) <= 10_000:
            return str(unicode(value))
        raise ConfigError(f"{quoted(value)} is not text of at most 10000 characters")

    return Kind(read, {"type": "string", "maxLength": 10_000})


def flag() -> Kind:
    def read(value: Any, _tz: str) -> bool:
        if isinstance(value, str):
            value = _FLAGS.get(value.strip().lower(), value)
        if not isinstance(value, bool):
            raise ConfigError(f"{quoted(value)} is neither true nor false")
        return value

    return Kind(read, {"type": "boolean"})


def whole(least: int, most: int | None = None) -> Kind:
    bounds = f"{least} or more" if most is None else f"{least} to {most}"

    def read(value: Any, _tz: str) -> int:
        # A number from the environment, or one that YAML would call octal, comes as text.
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ConfigError(f"{quoted(value)} is not a whole number; {bounds} will do")
        if value < least or (most is not None and value > most):
            raise ConfigError(f"{quoted(value)} is out of range; {bounds} will do")
        return value

    schema = {"type": "integer", "minimum": least}
    return Kind(read, schema if most is None else schema | {"maximum": most})


def choice(*words: str) -> Kind:
    def read(value: Any, _tz: str) -> str:
        if isinstance(value, str) and value.strip().lower() in words:
            return value.strip().lower()
        hint = nearest(value, words) if isinstance(value, str) else ""
        raise ConfigError(f"{quoted(value)} is none of {', '.join(words)}{hint}")

    return Kind(read, {"enum": list(words)})


DURATION_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "minimum": 0, "description": "seconds"},
        {
            "type": "string",
            "pattern": r"^\s*([0-9.]+|([0-9.]+\s*[a-zA-Zµ]+\s*,?\s*)+)\s*$",
            "examples": ["30s", "5m", "1h30m", "1d"],
        },
        {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {
                f"{unit}s": {"type": "number", "minimum": 0}
                for unit in (
                    *("week", "day", "hour", "minute"),
                    *("second", "millisecond", "microsecond"),
                )
            },
        },
    ]
}


def duration(*, above_zero: bool = False) -> Kind:
    def read(value: Any, _tz: str) -> timedelta:
        length = parse_duration(value)
        if above_zero and not length:
            raise ConfigError(f"{quoted(value)} is nothing; give a length of time above zero")
        return length

    return Kind(read, DURATION_SCHEMA, format_duration)


def moment() -> Kind:
    def read(value: Any, tz: str) -> datetime:
        return parse_moment(value, tz)

    examples = ["2027-01-01T09:00:00+08:00", "2027-01-01"]
    pattern = r"^\s*\d{4}-?(\d{2}|W\d{2})"
    schema = {"type": "string", "pattern": pattern, "examples": examples}
    return Kind(read, schema, format_moment)


def zone() -> Kind:
    def read(value: Any, _tz: str) -> str:
        return zone_name(value)

    return Kind(read, {"type": "string", "examples": ["Europe/Berlin", "Asia/Shanghai", "UTC"]})


def json_list() -> Kind:
    def read(value: Any, _tz: str) -> tuple[Any, ...]:
        return tuple(as_json(item) for item in _list(value))

    return Kind(read, {"type": "array"})


def json_mapping() -> Kind:
    def read(value: Any, _tz: str) -> dict[str, Any]:
        kept: dict[str, Any] = as_json(mapping(value))
        return kept

    return Kind(read, {"type": "object"})


def argument_list() -> Kind:
    def read(value: Any, _tz: str) -> tuple[Any, ...]:
        return tuple(as_argument(item) for item in _list(value))

    return Kind(read, {"type": "array", "items": ARGUMENT_SCHEMA}, list)


def argument_mapping() -> Kind:
    def read(value: Any, _tz: str) -> dict[str, Any]:
        return {text_key(key): as_argument(item, 1) for key, item in mapping(value).items()}

    return Kind(read, {"type": "object", "additionalProperties": ARGUMENT_SCHEMA}, dict)


def options() -> Kind:
    """The options as they came; each has a kind of its own."""

    def read(value: Any, _tz: str) -> dict[str, Any]:
        return {text_key(key): item for key, item in mapping(value).items()}

    return Kind(read, {"type": "object"}, dict)


#: The schema has it once, under this name; it holds itself.
ARGUMENT_SCHEMA = {"$ref": "#/definitions/argument"}


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{quoted(value)} is not a list; write it like [2, 2]")
    return value


def mapping(value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{quoted(value)} is not a mapping; write it like {{full: true}}")
    return value


def as_argument(value: Any, depth: int = 0) -> Any:
    """The value as a worker gets it: JSON's own, a date, time, datetime, Decimal, UUID or bytes;
    ConfigError for any other."""
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
    try:
        return typed(name, value)
    except ValueError:
        text = f"{quoted(value)} is no value of {TYPE} {name}; write it like {TYPES[name]}"
        raise ConfigError(text) from None


def unknown_types(value: Any) -> list[str]:
    """What is written as `__type__` in the values that no worker reads by kombu alone."""
    if isinstance(value, dict):
        own = [str(value[TYPE])] if is_tagged(value) and not is_type(value[TYPE]) else []
        return own + [name for item in value.values() for name in unknown_types(item)]
    if isinstance(value, (list, tuple)):
        return [name for item in value for name in unknown_types(item)]
    return []


def as_json(value: Any, depth: int = 0) -> Any:
    """The value in plain dicts and lists, or ConfigError where JSON cannot carry it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        # Without the class: the YAML reader's own kinds of text, an Enum, whose str() is its name.
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
    raise ConfigError(f"{quoted(value)} is a {type(value).__name__}, which JSON cannot carry")


def text_key(key: Any) -> str:
    if not isinstance(key, str):
        raise ConfigError(f"the key {quoted(key)} is not text")
    return str.__str__(unicode(key))


def unicode(text: str) -> str:
    """The text, or ConfigError where Python holds bytes in it that were no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{quoted(text)} is no Unicode text; was it read as UTF-8?") from None
    return text
