"""An entry as YAML and as JSON have it, what is at its default left out."""

from datetime import UTC, datetime, timedelta
from typing import Any

from beatd.definition.arguments import tagged
from beatd.definition.fields import FIELDS
from beatd.entry import Entry
from beatd.schedules.duration import format_duration

_PLAIN_FIELDS = tuple(
    field.name for field in FIELDS if field.name in Entry.__struct_fields__ and field.name != "tz"
)
_DEFAULTS = dict(
    zip(
        Entry.__struct_fields__[-len(Entry.__struct_defaults__) :],
        Entry.__struct_defaults__,
        strict=True,
    )
)


def plain_of(entry: Entry) -> dict[str, Any]:
    """What `entry_from` reads back as an equal entry; tz is always in it, so under any timezone."""
    plain: dict[str, Any] = {"task": entry.task, **entry.schedule.plain(), "tz": entry.tz}
    for name in _PLAIN_FIELDS:
        value = getattr(entry, name)
        if (
            name == "task"
            or value is None
            or (name not in ("args", "kwargs", "options") and value == _DEFAULTS[name])
        ):
            continue
        if name in ("args", "kwargs", "options"):
            if value:
                plain[name] = list(value) if name == "args" else dict(value)
        elif isinstance(value, timedelta):
            plain[name] = format_duration(value)
        elif isinstance(value, datetime):
            plain[name] = iso(value)
        else:
            plain[name] = value
    return plain


def json_plain_of(entry: Entry) -> dict[str, Any]:
    """`plain_of` with dates, Decimals and their like in kombu's form, as JSON has no other."""
    plain = plain_of(entry)
    for name in ("args", "kwargs", "options"):
        if name in plain:
            plain[name] = tagged(plain[name])
    return plain


def iso(moment: datetime) -> str:
    """UTC, with Z, fractions only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
