"""List the keys of an entry in YAML, with the kind of value that each key has.

The list is made from the fields of `Entry`. `check`, `plain_of`, the codec and the JSON Schema use
it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, get_args, get_origin

from msgspec import NODEFAULT, Struct, structs

from beatd.definition import kinds
from beatd.definition.alert_rules import ALERT_RULES
from beatd.definition.kinds import Kind
from beatd.definition.monitor_targets import MONITOR_TARGETS
from beatd.entry import CANVASES, Entry


class Field(Struct, frozen=True):
    """A key in YAML, with its kind of value, help text and default.

    `kind` reads, writes and describes the value. `about` is the help text. `default` is the default
    as YAML writes it, or None if there is none.
    """

    name: str
    kind: Kind
    about: str
    default: Any = None


class EntryField(Field, frozen=True, kw_only=True):
    """A key in YAML that is also a field of `Entry`.

    `type` and `initial` are the field's type and default in `Entry`.
    """

    type: Any
    initial: Any


def _mapping(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required,
    }


_EVENTS = [
    f"{edge}_{kind}" for edge in ("dawn", "dusk") for kind in ("astronomical", "nautical", "civil")
]
_CRON_FIELD = {
    "anyOf": [
        {"type": ["string", "integer"]},
        {"type": "array", "items": {"type": "integer"}, "minItems": 1},
    ]
}

#: The kinds of schedule, with schema and help; an entry has exactly one of these keys.
KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "every": (
        kinds.DURATION_SCHEMA,
        "An exact grid in absolute time: 30s, 5m, 1h30m, 1d, {minutes: 5}.",
    ),
    "cron": (
        {"type": "string", "minLength": 1, "examples": ["30 2 * * *", "@daily"]},
        "Five cron fields; six = seconds first; seven = year last; or @hourly, @daily and so on.",
    ),
    "crontab": (
        _mapping(
            {
                key: _CRON_FIELD
                for key in ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
            },
            [],
        ),
        "Celery's crontab: what is left out is '*', and both days must match.",
    ),
    "at": (
        kinds.moment().schema,
        "Once, at this moment (ISO 8601; in the entry's zone without an offset).",
    ),
    "solar": (
        _mapping(
            {
                "event": {"enum": [*_EVENTS, "sunrise", "solar_noon", "sunset"]},
                "lat": {"type": "number", "minimum": -90, "maximum": 90},
                "lon": {"type": "number", "minimum": -180, "maximum": 180},
            },
            ["event", "lat", "lon"],
        ),
        "An event of the sun, where it is seen from.",
    ),
    "rrule": (
        {"type": "string", "minLength": 1, "examples": ["FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17"]},
        "An iCalendar rule, with DTSTART, UNTIL, COUNT and EXDATE lines.",
    ),
}

_KINDS_BY_NAME = {
    "task": kinds.text("the name of a task"),
    "tz": kinds.zone(),
    "args": kinds.argument_list(),
    "kwargs": kinds.argument_mapping(),
    "options": kinds.options(),
    "catch_up_window": kinds.duration(above_zero=True),
    "max_run": kinds.duration(above_zero=True),
    "alert": ALERT_RULES.kind,
    "monitor": MONITOR_TARGETS.kind,
    "description": kinds.prose(),
}
_KINDS_BY_TYPE = {
    bool: kinds.flag(),
    int | None: kinds.whole(1),
    timedelta: kinds.duration(),
    datetime | None: kinds.moment(),
}


def _entry_fields() -> Iterator[EntryField]:
    for field in structs.fields(Entry):
        if get_origin(field.type) is not Annotated:
            continue
        of_type, about = get_args(field.type)
        kind = _KINDS_BY_NAME.get(field.name) or _kind_of(of_type)
        initial: Any = field.default
        if field.default_factory is not NODEFAULT:
            initial = field.default_factory()
        elif field.name == "tz":
            initial = NODEFAULT  # the config's timezone, so it is always written
        default = None if initial in (None, NODEFAULT) else kind.write(initial)
        yield EntryField(field.name, kind, about, default, type=of_type, initial=initial)


def _kind_of(of_type: Any) -> Kind:
    if get_origin(of_type) is Literal:
        return kinds.choice(*get_args(of_type))
    return _KINDS_BY_TYPE[of_type]


ENTRY_FIELDS = tuple(_entry_fields())
_SHIFT_FIELDS = (
    Field(
        "spread", kinds.flag(), "Shift the grid of `every` by an amount made from the name.", False
    ),
    Field("phase", kinds.duration(), "Shift the grid of `every` by this much."),
)
#: Keys that shift the grid of `every`; they are part of the schedule.
SHIFTS = tuple(field.name for field in _SHIFT_FIELDS)

FIELDS: tuple[Field, ...] = (*ENTRY_FIELDS, *_SHIFT_FIELDS)
KEYS = (*(field.name for field in FIELDS), *KINDS, *CANVASES)
#: Keys that `defaults:` may give to every entry.
DEFAULTABLE = tuple(
    field.name for field in ENTRY_FIELDS if field.name not in ("task", "description")
)
