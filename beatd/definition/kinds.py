"""The kinds of values in YAML: rules to read, write and describe each of them.

A reader raises ConfigError with the wrong value and an example of a right one. The caller adds the
name of the key to the message.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from beatd.definition.argument_values import (
    as_argument,
    as_json,
    refuse_one_value,
    text_key,
    unicode,
)
from beatd.errors import ConfigError, nearest
from beatd.schedules.duration import format_duration, parse_duration
from beatd.schedules.moment import format_moment, parse_moment
from beatd.schedules.quote import quoted
from beatd.schedules.zone import zone_name

# YAML 1.1 called these true and false; here they are text, except where only a flag can stand.
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _unchanged(value: Any) -> Any:
    return value


class Kind(Struct, frozen=True):
    """The rules for one kind of YAML value, such as a duration: how to read and write it.

    `read` converts a YAML value, or raises ConfigError; its second argument is the time zone of a
    moment without a UTC offset. `write` converts the result back. `schema` is the value's JSON
    Schema.
    """

    read: Callable[[Any, str], Any]
    schema: dict[str, Any]
    write: Callable[[Any], Any] = _unchanged


def text(what: str = "text", longest: int = 1000) -> Kind:
    """Return the rules for reading one line of text from YAML.

    The text is not empty and has at most `longest` characters. Error messages call it `what`, such
    as "a name".
    """

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
            raise ConfigError(f"{quoted(value)} has control characters in it; remove them")
        return str.__str__(value)

    return Kind(read, {"type": "string", "minLength": 1, "maxLength": longest})


def prose() -> Kind:
    """Return the rules for reading several lines of text from YAML.

    The text has at most 10,000 characters.
    """

    def read(value: Any, _tz: str) -> str:
        if isinstance(value, str) and len(value) <= 10_000:
            return str(unicode(value))
        raise ConfigError(f"{quoted(value)} is not text of at most 10000 characters")

    return Kind(read, {"type": "string", "maxLength": 10_000})


def flag() -> Kind:
    """Return the rules for reading true or false from YAML.

    The words yes, no, on and off are accepted too.
    """

    def read(value: Any, _tz: str) -> bool:
        if isinstance(value, str):
            value = _FLAGS.get(value.strip().lower(), value)
        if not isinstance(value, bool):
            raise ConfigError(f"{quoted(value)} is neither true nor false")
        return value

    return Kind(read, {"type": "boolean"})


def whole(least: int, most: int | None = None) -> Kind:
    """Return the rules for reading a whole number from YAML, from `least` to `most`.

    If `most` is None, any larger number is allowed.
    """
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
    """Return the rules for reading one of `words` from YAML, in upper or lower case.

    `words` itself must be in lower case.
    """

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
    """Return the rules for reading a duration, such as 1h30m, from YAML.

    If `above_zero` is True, 0 is an error.
    """

    def read(value: Any, _tz: str) -> timedelta:
        length = parse_duration(value)
        if above_zero and not length:
            raise ConfigError(f"{quoted(value)} is nothing; give a length of time above zero")
        return length

    return Kind(read, DURATION_SCHEMA, format_duration)


def moment() -> Kind:
    """Return the rules for reading and writing an ISO 8601 time in YAML."""

    def read(value: Any, tz: str) -> datetime:
        return parse_moment(value, tz)

    examples = ["2027-01-01T09:00:00+08:00", "2027-01-01"]
    pattern = r"^\s*\d{4}-?(\d{2}|W\d{2})"
    schema = {"type": "string", "pattern": pattern, "examples": examples}
    return Kind(read, schema, format_moment)


def zone() -> Kind:
    """Return the rules for reading the name of a time zone from YAML."""

    def read(value: Any, _tz: str) -> str:
        return zone_name(value)

    return Kind(read, {"type": "string", "examples": ["Europe/Berlin", "Asia/Shanghai", "UTC"]})


def json_list() -> Kind:
    """Return the rules for reading a list of JSON values from YAML."""

    def read(value: Any, _tz: str) -> tuple[Any, ...]:
        return tuple(as_json(item) for item in _list(value))

    return Kind(read, {"type": "array"})


def json_mapping() -> Kind:
    """Return the rules for reading a mapping of JSON values from YAML."""

    def read(value: Any, _tz: str) -> dict[str, Any]:
        kept: dict[str, Any] = as_json(mapping(value))
        return kept

    return Kind(read, {"type": "object"})


def argument_list() -> Kind:
    """Return the rules for reading a task's positional arguments from YAML.

    `as_argument` defines the values that an argument may have.
    """

    def read(value: Any, _tz: str) -> tuple[Any, ...]:
        return tuple(as_argument(item) for item in _list(value))

    return Kind(read, {"type": "array", "items": ARGUMENT_SCHEMA}, list)


def argument_mapping() -> Kind:
    """Return the rules for reading a task's keyword arguments from YAML.

    `as_argument` defines the values that an argument may have.
    """

    def read(value: Any, _tz: str) -> dict[str, Any]:
        refuse_one_value(mapping(value))
        return {text_key(key): as_argument(item, 1) for key, item in value.items()}

    return Kind(read, {"type": "object", "additionalProperties": ARGUMENT_SCHEMA}, dict)


def options() -> Kind:
    """Return the rules for reading an entry's `options` from YAML.

    They check only that the keys are text. `read_options` checks the values later.
    """

    def read(value: Any, _tz: str) -> dict[str, Any]:
        return {text_key(key): item for key, item in mapping(value).items()}

    return Kind(read, {"type": "object"}, dict)


#: The schema defines an argument once, under this name, because arguments hold arguments.
ARGUMENT_SCHEMA = {"$ref": "#/definitions/argument"}


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{quoted(value)} is not a list; write it like [2, 2]")
    return value


def mapping(value: Any) -> Mapping[Any, Any]:
    """Return the value unchanged; raise ConfigError if it is not a mapping."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{quoted(value)} is not a mapping; write it like {{full: true}}")
    return value
