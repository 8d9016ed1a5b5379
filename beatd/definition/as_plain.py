"""Convert an entry to plain data for YAML and JSON; default values are left out."""

from typing import Any

from beatd.definition.arguments import tagged
from beatd.definition.canvas_steps import canvas_plain
from beatd.definition.fields import ENTRY_FIELDS
from beatd.entry import CANVASES, PAYLOAD, Entry


def plain_of(entry: Entry) -> dict[str, Any]:
    """Return the entry as a mapping with the keys of YAML; `entry_from` converts it back.

    Default values are left out. `tz` is always present, so that the mapping has the same meaning in
    a configuration with another timezone.
    """
    what = {"task": entry.task} if entry.canvas is None else canvas_plain(entry.canvas)
    plain: dict[str, Any] = {**what, **entry.schedule.plain(), "tz": entry.tz}
    for field in ENTRY_FIELDS:
        value = getattr(entry, field.name)
        if field.name not in plain and field.name != "task" and value != field.initial:
            plain[field.name] = field.kind.write(value)
    return plain


def json_plain_of(entry: Entry) -> dict[str, Any]:
    """Return the entry as a mapping for JSON, with the keys of YAML.

    A date, Decimal or the like has kombu's form, {"__type__": …, "__value__": …}.
    """
    plain = plain_of(entry)
    for name in (*PAYLOAD, *CANVASES):
        if name in plain:
            plain[name] = tagged(plain[name])
    return plain
