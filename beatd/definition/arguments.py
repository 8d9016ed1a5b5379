"""Convert argument values that JSON does not have: dates, times, Decimals, UUIDs and bytes.

kombu writes them in JSON as {"__type__": "date", "__value__": "2027-01-01"}. Messages, stores and
commands use that form, and a worker decodes it to the value.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from types import NoneType
from typing import Any
from uuid import UUID

from msgspec import Struct, json, structs
from msgspec.structs import replace

from beatd.entry import PAYLOAD, Entry

TYPE, VALUE = "__type__", "__value__"
_KEYS = {TYPE, VALUE}
#: Each name that `__type__` may have, with a value as people write it.
TYPES = {
    "datetime": "2027-01-01T09:00:00+08:00",
    "date": "2027-01-01",
    "time": "09:00:00",
    "decimal": "'1.50'",
    "uuid": "0f0e6bb3-3e31-4ee5-9b1b-5e3a5a0b6e0c",
    "bytes": "text, sent as UTF-8",
    "base64": "AAEC/w==",
}
_PLAIN = frozenset((NoneType, bool, int, float, str))
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"|(\d{4})-(\d\d?)-(\d\d?)(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?"
    r"(?:[ \t]*(?:(Z)|([-+])(\d\d?)(?::(\d\d))?))?",
    re.ASCII,
)


class Timestamp(str):
    """A YAML text that looks like a date or datetime.

    It becomes a date or datetime only if it is an argument of a task.
    """

    __slots__ = ()

    def moment(self) -> date | datetime:
        """Return the text as a date or datetime.

        The datetime has no zone if the text has no UTC offset. Raises ValueError if the date or
        time does not exist.
        """
        found = _TIMESTAMP.fullmatch(self)
        assert found is not None, "`timestamp` has seen it"
        if found[1]:
            return date(int(found[1]), int(found[2]), int(found[3]))
        year, month, day, hour, minute, second = map(int, found.groups()[3:9])
        microsecond = int((found[10] or "")[:6].ljust(6, "0"))
        zone = None
        if found[11]:
            zone = UTC
        elif found[12]:
            offset = timedelta(hours=int(found[13]), minutes=int(found[14] or 0))
            zone = timezone(-offset if found[12] == "-" else offset)
        return datetime(year, month, day, hour, minute, second, microsecond, zone)


def timestamp(text: str) -> Timestamp | None:
    """Return the text as a Timestamp, or None if it is not a date or datetime in YAML."""
    return Timestamp(text) if _TIMESTAMP.fullmatch(text) else None


def is_tagged(value: Any) -> bool:
    """Return True if the value is a mapping with exactly the keys `__type__` and `__value__`.

    kombu writes values that JSON does not have, such as dates, in this form.
    """
    return isinstance(value, (dict, Mapping)) and len(value) == 2 and value.keys() == _KEYS


def is_type(name: Any) -> bool:
    """Return True if kombu can decode values with this `__type__` name, such as "date"."""
    return isinstance(name, str) and name in TYPES


def typed(name: Any, value: Any) -> Any:
    """Return the date, Decimal or the like for kombu's type name and value in JSON.

    For example, "date" and "2027-01-01" give a date. Raises ValueError if `value` does not fit the
    type, and KeyError if `name` is not in `TYPES`.
    """
    if not is_type(name):
        raise KeyError(name)
    if name == "uuid":
        return UUID(_text(value.get("hex") if isinstance(value, Mapping) else value))
    if name == "decimal" and type(value) is int:
        return Decimal(value)
    text = _text(value)
    match name:
        case "datetime":
            return datetime.fromisoformat(text)
        case "date":
            return datetime.fromisoformat(text).date()
        case "time":
            return time.fromisoformat(text)
        case "decimal":
            try:
                return Decimal(text)
            except InvalidOperation:
                raise ValueError(text) from None
        case "bytes":
            return text.encode()
    return b64decode("".join(text.split()), validate=True)


def exact(value: Any) -> Any:
    """Return a date, time, Decimal, UUID or bytes value exactly as a worker will receive it.

    A subclass becomes the plain class, and a time zone a UTC offset. Raises TypeError for any other
    value.
    """
    form = _form(value)
    return typed(form[TYPE], form[VALUE])


def tagged(value: Any) -> Any:
    """Return the value as JSON can hold it, with kombu's form of dates, Decimals and the like.

    A step of a canvas becomes a mapping. For example, a date becomes {"__type__": "date",
    "__value__": "2027-01-01"}. Raises TypeError for a value without such a form.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, Struct):  # a part of a canvas
        return tagged(structs.asdict(value))
    # Most values are plain: without a call for each of them this takes half the time.
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _PLAIN else tagged(item) for item in value]
    if isinstance(value, (dict, Mapping)):
        return {key: item if type(item) in _PLAIN else tagged(item) for key, item in value.items()}
    if isinstance(value, str):
        return str.__str__(value)  # an Enum's own str() is its name
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    return _form(value)


def untagged(value: Any) -> Any:
    """Return decoded JSON with kombu's form of dates, Decimals and the like converted back.

    For example, {"__type__": "date", "__value__": "2027-01-01"} becomes a date. A mapping in that
    form stays unchanged if its content does not fit its type.
    """
    if isinstance(value, dict):
        if is_tagged(value):
            try:
                return typed(value[TYPE], value[VALUE])
            except (KeyError, ValueError):
                pass
        return {key: untagged(item) for key, item in value.items()}
    return [untagged(item) for item in value] if isinstance(value, list) else value


def untagged_items(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments or options from decoded JSON with each value converted by
    `untagged`.

    The result is a dict, even if the mapping itself has the form of a date.
    """
    return {key: untagged(value) for key, value in values.items()}


def canonical_json(value: Any) -> bytes:
    """Return arguments as JSON, which is equal exactly if workers receive the same values.

    `value` is an argument, or a list or mapping of arguments. Raises TypeError if JSON cannot hold
    it.
    """
    return json.encode(tagged(value), order="deterministic")


def same(one: Entry, other: Entry) -> bool:
    """Return True if two entries are equal and workers receive the same arguments from both.

    `==` alone is not enough: for it, 1, 1.0 and true are equal, and two Decimal NaNs differ.
    """
    if _payload(one) != _payload(other):
        return False
    try:
        if one == other:
            return True
    except ArithmeticError:  # from a Decimal sNaN, which compares with nothing
        pass
    return _without_payload(one) == _without_payload(other)


def _payload(entry: Entry) -> bytes:
    values = [getattr(entry, name) for name in (*PAYLOAD, "canvas")]
    return canonical_json(values) if any(values) else b""


def _without_payload(entry: Entry) -> Entry:
    if not any(getattr(entry, name) for name in (*PAYLOAD, "canvas")):
        return entry
    return replace(entry, args=(), kwargs={}, options={}, canvas=None)


def _form(value: Any) -> dict[str, Any]:
    """Return a date, Decimal, UUID or the like as kombu's {"__type__": …, "__value__": …}.

    Raises TypeError if kombu has no type for the value.
    """
    if isinstance(value, bytes):
        try:
            return {TYPE: "bytes", VALUE: value.decode()}
        except UnicodeDecodeError:
            return {TYPE: "base64", VALUE: b64encode(value).decode()}
    if isinstance(value, datetime):  # before date, which it is as well
        return {TYPE: "datetime", VALUE: datetime.isoformat(value)}
    if isinstance(value, date):
        return {TYPE: "date", VALUE: date.isoformat(value)}
    if isinstance(value, time):
        return {TYPE: "time", VALUE: time.isoformat(value)}
    if isinstance(value, Decimal):
        return {TYPE: "decimal", VALUE: Decimal.__str__(value)}
    if isinstance(value, UUID):
        return {TYPE: "uuid", VALUE: {"hex": value.hex}}
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value
