"""Decode pickles that celery beat wrote, without running any code that they name.

No class that a pickle names is imported. The names in `_NAMES` stand for functions that make plain
values. Any other name becomes an `Unknown`, which does nothing. A hostile file is only refused.
"""

import io
import pickle
import pickletools
from collections.abc import Callable, Sized
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID, SafeUUID
from zoneinfo import ZoneInfo

from beatd.errors import ConfigError, with_article
from beatd.imports.celery_object import CRONTAB, ENTRY, CeleryObject, keeper
from beatd.schedules.quote import quoted

MAX_PICKLE_BYTES = 256 * 1024 * 1024
MAX_RANGE_NUMBERS = 100_000
NAMED_CHARS_MAX = 200  # of a class that is not known, in an error
MAX_VALUES = 3_000_000
MAX_COPIED = 10_000_000  # items, characters and bytes that the makers of one pickle may copy


class Fixed(type):
    """A metaclass that makes class attributes read-only, so that a pickle cannot change them."""

    def __setattr__(cls, key: str, value: Any) -> None:
        raise pickle.UnpicklingError("values in a pickle are not changed")


class Unknown(metaclass=Fixed):
    """A harmless replacement for an object of an unknown class in a pickle; it only keeps the
    data."""

    __slots__ = ("held",)
    named = ""
    held: list[Any]

    def __new__(cls, *args: Any) -> "Unknown":
        made = object.__new__(cls)
        object.__setattr__(made, "held", [*args])
        return made

    def __setattr__(self, key: str, value: Any) -> None:
        raise pickle.UnpicklingError("values in a pickle are not changed")

    def __setstate__(self, state: Any) -> None:
        self.held.append(state)

    def append(self, item: Any) -> None:
        self.held.append(item)

    def extend(self, items: Any) -> None:
        self.held.extend(items)

    def add(self, item: Any) -> None:
        self.held.append(item)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.held += [key, value]


def unknown(named: str) -> type[Unknown]:
    """Return a harmless class that replaces the class `named`, which a pickle names."""
    made: type[Unknown] = Fixed("Unknown", (Unknown,), {"named": named, "__slots__": ()})  # type: ignore[assignment]
    return made


def is_unknown(value: Any) -> bool:
    """Return True if a value replaces an unknown object or an unknown class of a pickle."""
    return isinstance(value, Unknown | Fixed)


class Maker:
    """A harmless replacement for a class or function that a pickle calls; it returns a plain
    value."""

    __slots__ = ("_copied", "make")
    make: Callable[..., Any]
    _copied: Callable[[int], None]

    def __init__(self, make: Callable[..., Any], copied: Callable[[int], None]) -> None:
        object.__setattr__(self, "make", make)
        object.__setattr__(self, "_copied", copied)

    def __call__(self, *args: Any) -> Any:
        if self.make in _COPYING:
            if args and is_unknown(args[0]):
                return args[0]
            self._copied(sum(len(arg) for arg in args if isinstance(arg, Sized)))
        try:
            return self.make(*args)
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            # An impossible value, or a zone that this host lacks, concerns one entry only.
            return unknown(f"broken value ({_one_line(error)})")()

    def __setattr__(self, key: str, value: Any) -> None:
        raise pickle.UnpicklingError("values in a pickle are not changed")


def _datetime(*args: Any) -> datetime:
    # A zone of an unknown class: the moment is celery's, in UTC.
    known: list[Any] = [UTC if is_unknown(arg) else arg for arg in args]
    return datetime(*known)  # noqa: DTZ001  # as it was pickled


def _zone(key: Any, *_rest: Any) -> tzinfo:
    return ZoneInfo(_text(key))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(
            f"{with_article(type(value).__name__)} instead of text"
        )  # str(value) may be huge
    return value


def _range(*args: Any) -> range:
    made = range(*args)
    if made and (count := abs(made[-1] - made[0]) // abs(made.step) + 1) > MAX_RANGE_NUMBERS:
        raise ValueError(f"a range of {quoted(count)} numbers")
    return made


def _bytearray(data: Any = b"", *encoding: Any) -> bytearray:
    if isinstance(data, int):
        raise TypeError("a bytearray made from its length")
    return bytearray(data, *encoding)


def _encode(text: Any, _encoding: Any = "latin1") -> bytes:
    return _text(text).encode("latin1")


def _decimal(text: Any) -> Decimal:
    return Decimal(_text(text))


class PickledUuid(UUID, metaclass=Fixed):
    """A replacement for a UUID in a pickle, which is created empty and gets its number
    afterwards."""

    named = "uuid.UUID"  # as a value of its own the class is unknown

    def __setstate__(self, state: Any) -> None:
        number = state.get("int") if isinstance(state, dict) else None
        if type(number) is not int or not 0 <= number < 1 << 128:
            raise pickle.UnpicklingError("it holds a UUID that is none")
        object.__setattr__(self, "int", number)
        object.__setattr__(self, "is_safe", SafeUUID.unknown)


def _getattr(owner: Any, name: Any) -> Any:
    # How older pickle protocols spell the class method ZoneInfo._unpickle.
    if isinstance(owner, Maker) and owner.make is _zone and name == "_unpickle":
        return owner
    return unknown(f"getattr of {quoted(_text(name))}")


_COPYING = (set, frozenset, list, tuple, dict, _bytearray, complex, _encode, _decimal)
_NAMES: dict[tuple[str, str], Callable[..., Any]] = {
    ("celery.beat", "ScheduleEntry"): keeper("entry", ENTRY),
    ("celery.schedules", "schedule"): keeper("schedule", ("run_every", "relative", "nowfun")),
    ("celery.schedules", "crontab"): keeper("crontab", CRONTAB),
    ("celery.schedules", "solar"): keeper("solar", ("event", "lat", "lon")),
    ("datetime", "datetime"): _datetime,
    ("datetime", "date"): date,
    ("datetime", "time"): time,
    ("datetime", "timedelta"): timedelta,
    ("datetime", "timezone"): timezone,
    ("decimal", "Decimal"): _decimal,
    ("uuid", "UUID"): PickledUuid,
    **{
        (module, name): _zone
        for module in ("zoneinfo", "backports.zoneinfo")
        for name in ("ZoneInfo", "ZoneInfo._unpickle")
    },
    ("pytz", "_UTC"): lambda: UTC,
    ("pytz", "_p"): _zone,
    **{
        (module, name): make
        for module in ("builtins", "__builtin__")
        for name, make in (
            *((kind.__name__, kind) for kind in (set, frozenset, list, tuple, dict, complex)),
            *(("range", _range), ("bytearray", _bytearray), ("getattr", _getattr)),
        )
    },
    ("_codecs", "encode"): _encode,
}


def _copied_at_most(left: int) -> Callable[[int], None]:
    # Not a method of the reader: garbage collection does not see the stack of a reader that failed.
    def copied(size: int) -> None:
        nonlocal left
        left -= size
        if left < 0:
            raise pickle.UnpicklingError("it makes more than any schedule holds")

    return copied


class _Reader(pickle.Unpickler):
    # Makes only the values named in `_NAMES`; the rest become Unknowns.
    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.unknown: dict[str, None] = {}
        self._copied = _copied_at_most(MAX_COPIED)

    def find_class(self, module: str, name: str) -> Any:
        known = _NAMES.get((module, name))
        if known is not None:
            return known if known is PickledUuid else Maker(known, self._copied)
        named = f"{module}.{name}"[:NAMED_CHARS_MAX]
        named = named if named.isprintable() else ascii(named)
        self.unknown[named] = None
        return unknown(named)

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to something outside the file")


def loads(data: bytes) -> Any:
    """Decode a pickle without running any code that it names.

    Raises ConfigError if the pickle is damaged, too large, or calls a class that no schedule needs.
    """
    if len(data) > MAX_PICKLE_BYTES:
        raise ConfigError(f"a value of {len(data)} bytes is larger than any schedule")
    reader = _Reader(data)
    try:
        _check_places(data)
        value = reader.load()
    except Exception as error:
        raise ConfigError(f"its pickle cannot be read: {_one_line(error)}") from None
    most = min(MAX_VALUES, 100_000 + 20 * len(data))  # fewer for a short pickle that holds itself
    hidden = set(reader.unknown) - set(unknowns(value, most))
    if hidden or is_unknown(value):
        named = sorted(hidden) or [value.named]
        raise ConfigError(
            f"its pickle calls {named[0]}, which no schedule needs; nothing was run, and the file "
            "is refused"
        )
    return value


def _check_places(data: bytes) -> None:
    # Python would allocate a memo table of the size that a hostile pickle names.
    for opcode, place, _ in pickletools.genops(data):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and place > len(data):  # type: ignore[operator]
            raise pickle.UnpicklingError("it is larger than its file")


def unknowns(value: Any, most: int = MAX_VALUES) -> list[str]:
    """Return the names of the unknown classes in a decoded pickle. Raises ConfigError if the pickle
    contains more than `most` values."""
    found: list[str] = []
    left: list[Any] = [value]
    count = 0  # a few bytes of pickle can refer to themselves millions of times
    while left:
        count += 1
        if count > most:
            raise ConfigError("it holds more than any schedule does")
        item = left.pop()
        if is_unknown(item):
            found.append(item.named)
            left += item.held if isinstance(item, Unknown) else []
        elif isinstance(item, CeleryObject):
            left += item.fields.values()
        elif isinstance(item, dict):
            left += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            left += item
    return found


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
