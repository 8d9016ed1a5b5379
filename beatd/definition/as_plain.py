"""Write an entry as plain data for YAML and JSON, without the fields that have their defaults."""

from typing import Any

from beatd.definition.arguments import tagged
from beatd.definition.fields import ENTRY_FIELDS
from beatd.entry import PAYLOAD, Entry


def plain_of(entry: Entry) -> dict[str, Any]:
    """Return a mapping that `entry_from` reads back as an equal entry.

    It always holds `tz`, so it means the same under any configured timezone.
    """
    plain: dict[str, Any] = {"task": entry.task, **entry.schedule.plain(), "tz": entry.tz}
    for field in ENTRY_FIELDS:
        value = getattr(entry, field.name)
        if field.name not in plain and value != field.initial:
            plain[field.name] = field.kind.write(value)
    return plain


def json_plain_of(entry: Entry) -> dict[str, Any]:
    """Return `plain_of` for JSON: dates, Decimals and other typed arguments are in kombu's form."""
    plain = plain_of(entry)
    for name in PAYLOAD:
        if name in plain:
            plain[name] = tagged(plain[name])
    return plain
