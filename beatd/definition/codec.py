"""Encode an entry as the JSON that a store keeps, and decode that JSON.

Decoding must be fast, because a leader decodes every entry of the store.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any, get_args

from msgspec import NODEFAULT, UNSET, DecodeError, Raw, UnsetType, ValidationError, defstruct, json

from beatd.definition.alert_rules import ALERT_RULES
from beatd.definition.argument_values import MAX_DEPTH
from beatd.definition.arguments import TYPE, untagged, untagged_items
from beatd.definition.as_plain import json_plain_of
from beatd.definition.canvas_steps import canvas_from_json
from beatd.definition.fields import ENTRY_FIELDS, KINDS, EntryField
from beatd.definition.monitor_targets import MONITOR_TARGETS
from beatd.definition.struct_kind import StructKind
from beatd.entry import CANVASES, Entry, Schedule, Step, Timing
from beatd.errors import BeatError, ConfigError, StoreError
from beatd.schedules import schedule_from
from beatd.schedules.duration import parse_duration
from beatd.schedules.moment import parse_moment
from beatd.schedules.quote import quoted
from beatd.schedules.zone import zone_name

CACHED_SCHEDULES = 8192  # some 1 kB each
CACHED_TEXT_BYTES = 500  # few entries share a schedule with a longer text, so it is not cached

_TAG = f'"{TYPE}"'.encode()
_encoder = json.Encoder()
_STRUCTS: dict[str, StructKind[Any]] = {"alert": ALERT_RULES, "monitor": MONITOR_TARGETS}
_duration = lru_cache(maxsize=4096)(parse_duration)


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime:
    return parse_moment(text, "UTC")


def _reader_of(field: EntryField) -> Callable[[Any], Any] | None:
    if field.name == "tz":
        return zone_name
    if field.name in _STRUCTS:
        return _STRUCTS[field.name].from_json
    types = (field.type, *get_args(field.type))
    return _duration if timedelta in types else _moment if datetime in types else None


def _definition_fields() -> Iterator[tuple[str, Any] | tuple[str, Any, Any]]:
    # An item is the name, the type and, if there is one, the default of a key, for `defstruct`.
    for field in ENTRY_FIELDS:
        of_type = field.type
        if field.name in _STRUCTS:
            yield field.name, Raw | UnsetType, UNSET
            continue
        if field.name == "task":
            yield "task", str, ""
            continue
        if _reader_of(field):
            of_type = str | None if field.initial is None else str
        default = "UTC" if field.name == "tz" else field.initial
        yield (field.name, of_type) if default is NODEFAULT else (field.name, of_type, default)
    yield "spread", bool, False
    yield "phase", str | None, None
    for kind in (*KINDS, *CANVASES):
        yield kind, Raw | UnsetType, UNSET


# msgspec checks the types while it decodes, in a microsecond for a row.
_Definition: Any = defstruct("_Definition", _definition_fields(), forbid_unknown_fields=True)
_decoder = json.Decoder(_Definition)
_TIMING = {"tz", "start", "end", "max_runs", "dst_gap", "dst_fold", "spread", "phase", *KINDS}
_Timing: Any = defstruct(
    "_Timing", (field for field in _definition_fields() if field[0] in _TIMING)
)
_timing_decoder = json.Decoder(_Timing)
# An entry is made by position, which takes half as long as to name twenty fields: `_values` gets
# the fields between `schedule` and `source`.
_values = attrgetter(*(field.name for field in ENTRY_FIELDS if field.name != "task"))
_READERS = tuple(
    (Entry.__struct_fields__.index(field.name), read)
    for field in ENTRY_FIELDS
    if (read := _reader_of(field)) is not None
)


@lru_cache(maxsize=CACHED_SCHEDULES)
def _schedule(
    kind: str,
    raw: bytes,
    shifts: tuple[bool, str | None],
    when: tuple[str, str | None, str, str],
    name: str,
) -> Schedule:
    # Equal schedules share one object, because results are cached. `raw` is the JSON value of
    # `kind`, and `name` the entry's name if the schedule depends on it, else "".
    tz, start, gap, fold = when
    plain: dict[str, Any] = {kind: json.decode(raw)}
    if shifts[0]:
        plain["spread"] = True
    if shifts[1] is not None:
        plain["phase"] = shifts[1]
    return schedule_from(
        plain,
        tz=tz,
        name=name,
        start=None if start is None else _moment(start),
        dst_gap=gap,
        dst_fold=fold,
    )


def _schedule_of(name: str, found: Any) -> Schedule:
    for kind in KINDS:
        raw = getattr(found, kind)
        if raw is not UNSET:
            text = bytes(raw)
            uses_name = found.spread or (kind == "cron" and (b"H" in text or b"h" in text))
            when = (found.tz, found.start, found.dst_gap, found.dst_fold)
            shifts = (found.spread, found.phase)
            make = _schedule if len(text) <= CACHED_TEXT_BYTES else _schedule.__wrapped__
            return make(kind, text, shifts, when, name if uses_name else "")
    raise ConfigError(f"it has none of {', '.join(KINDS)}")


def _canvas_of(found: Any) -> Step:
    for kind in CANVASES:
        raw = getattr(found, kind)
        if raw is not UNSET:
            return canvas_from_json(kind, bytes(raw))
    raise ConfigError(f"it has none of task, {', '.join(CANVASES)}")


_DAMAGES = (ValidationError, DecodeError, UnicodeError, ConfigError, RecursionError, OSError)


def _unreadable(name: str, error: Exception) -> BeatError:
    if isinstance(error, OSError):
        # The entry may be right: this process has too many open files to read its zone.
        return StoreError(f"entry {quoted(name)} cannot be read now: {error.strerror or error}")
    is_deep = isinstance(error, RecursionError)
    # msgspec's errors contain unknown keys as they are, with their line breaks.
    why = (
        f"it is nested deeper than {MAX_DEPTH} levels" if is_deep else " ".join(str(error).split())
    )
    return ConfigError(
        f"entry {quoted(name)} in the store cannot be read: {why}; "
        "a newer beatd wrote it, or it was changed by hand"
    )


class JsonCodec:
    """Converts entries to the JSON that stores keep, and back.

    It implements the protocol `Codec` of the catalog, which the stores use.
    """

    def encode(self, entry: Entry) -> bytes:
        """Return the entry as JSON, without default values.

        The name, `source` and `declared_at` are not in the JSON.
        """
        return _encoder.encode(json_plain_of(entry))

    def decode_timing(self, name: str, definition: bytes) -> Timing:
        """Return only when the entry `name` runs, from its JSON.

        The other fields are not checked. Raises the same errors as `decode`.
        """
        try:
            found = _timing_decoder.decode(definition)
            schedule, tz = _schedule_of(name, found), zone_name(found.tz)
            start = None if found.start is None else _moment(found.start)
            end = None if found.end is None else _moment(found.end)
            return Timing(schedule, tz, start, end, found.max_runs)
        except _DAMAGES as error:
            raise _unreadable(name, error) from error

    def decode(self, name: str, definition: bytes, source: str, declared_at: str) -> Entry:
        """Return the entry `name` from its JSON.

        `source` is the owner of the entry and `declared_at` its place in a file; the JSON has
        neither. Raises ConfigError if the JSON cannot be read, and StoreError if this process has
        no free file descriptor to read a time zone.
        """
        try:
            found = _decoder.decode(definition)
            if _TAG in definition:
                found.args = tuple(untagged(list(found.args)))
                found.kwargs = untagged_items(found.kwargs)
                found.options = untagged_items(found.options)
            schedule = _schedule_of(name, found)
            canvas = None if found.task else _canvas_of(found)
            values = [name, found.task, schedule, *_values(found), source, declared_at, canvas]
            for place, read in _READERS:
                text = values[place]
                if type(text) is str:  # not the default of a key that is left out
                    values[place] = read(text)
                elif type(text) is Raw:
                    values[place] = read(bytes(text))
                elif text is UNSET:
                    values[place] = None
            return Entry(*values)
        except _DAMAGES as error:
            raise _unreadable(name, error) from error


codec = JsonCodec()
