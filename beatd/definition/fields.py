"""The keys of an entry: one table that is read from, checked against, and shown to editors."""

from typing import Any

from msgspec import Struct

from beatd.definition import kinds
from beatd.definition.kinds import Kind


class Field(Struct, frozen=True):
    name: str
    kind: Kind
    about: str
    default: Any = None  # as YAML has it


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

#: The kinds of schedule; an entry has exactly one of these keys.
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

#: What shifts the grid of `every`; part of the schedule.
SHIFTS = ("spread", "phase")

FIELDS: tuple[Field, ...] = (
    Field("task", kinds.text("the name of a task"), "The task's name, as its workers know it."),
    Field("tz", kinds.zone(), "Its time zone (IANA); the config's timezone when left out."),
    Field("args", kinds.argument_list(), "Positional arguments.", []),
    Field("kwargs", kinds.argument_mapping(), "Keyword arguments.", {}),
    Field("options", kinds.options(), "Options of apply_async: queue, priority, expires…", {}),
    Field("enabled", kinds.flag(), "false keeps the entry and never runs it.", True),
    Field(
        "spread", kinds.flag(), "Shift the grid of `every` by an amount made from the name.", False
    ),
    Field("phase", kinds.duration(), "Shift the grid of `every` by this much."),
    Field("start", kinds.moment(), "No run before it; also the anchor of `every`."),
    Field("end", kinds.moment(), "No run after it."),
    Field("max_runs", kinds.whole(1), "Finished after so many runs."),
    Field("jitter", kinds.duration(), "Up to this much later, the same for each occurrence.", "0s"),
    Field("dst_gap", kinds.choice("run", "skip"), "A fixed time that the clock skipped.", "run"),
    Field(
        "dst_fold", kinds.choice("first", "last", "both"), "A fixed time that came twice.", "first"
    ),
    Field(
        "catch_up", kinds.choice("latest", "all", "skip"), "Which missed moments to run.", "latest"
    ),
    Field("catch_up_window", kinds.duration(above_zero=True), "How far back missed moments count."),
    Field("catch_up_max", kinds.whole(1), "At most so many missed moments, the newest."),
    Field("grace", kinds.duration(), "With `catch_up: skip`: a moment may be this late.", "10s"),
    Field(
        "on_unknown",
        kinds.choice("resend", "skip"),
        "When nobody can tell if it was sent.",
        "resend",
    ),
    Field("description", kinds.prose(), "For people.", ""),
)

_BY_NAME = {field.name: field for field in FIELDS}
KEYS = (*_BY_NAME, *KINDS)
#: What `defaults:` may give to every entry.
DEFAULTABLE = tuple(name for name in _BY_NAME if name not in ("task", "description", *SHIFTS))
