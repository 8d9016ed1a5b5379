"""An entry's fields, which `Entry` alone lists."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from beatd.cli.add import command
from beatd.definition import DEFAULTABLE, codec, entry_from
from beatd.definition.fields import ENTRY_FIELDS, EntryField
from beatd.entry import Alert, Entry, Monitor

NO_KEYS = {"canvas", "name", "schedule", "source", "declared_at"}
BY_NAME: dict[str, Any] = {
    "tz": "Asia/Tokyo",
    "args": (1, "a"),
    "kwargs": {"full": True},
    "options": {"queue": "q"},
    "enabled": False,
    "dst_gap": "skip",
    "dst_fold": "both",
    "catch_up": "all",
    "on_unknown": "skip",
    "overlap": "queue",
    "trace": True,
    "monitor": Monitor(ping="https://hc-ping.com/x", sentry=True),
    "alert": Alert(failed=3, missing=timedelta(hours=26)),
}
BY_TYPE: dict[Any, Any] = {
    str: "other",
    int | None: 7,
    timedelta: timedelta(seconds=90),
    timedelta | None: timedelta(hours=1),
    datetime | None: datetime(2031, 1, 1, tzinfo=UTC),
}


def test_every_field_of_an_entry_is_a_key_unless_it_comes_from_elsewhere() -> None:
    assert {field.name for field in ENTRY_FIELDS} == set(Entry.__struct_fields__) - NO_KEYS
    assert {field.name for field in ENTRY_FIELDS} - set(DEFAULTABLE) == {"task", "description"}


@pytest.mark.parametrize("field", ENTRY_FIELDS, ids=lambda field: field.name)
def test_every_field_is_stored_and_read_back(field: EntryField) -> None:
    plain = {"task": "t", "every": "30s"}
    entry = entry_from("a", plain)
    value = BY_NAME[field.name] if field.name in BY_NAME else BY_TYPE[field.type]
    changed = replace(entry, **{field.name: value})
    assert changed != entry
    stored = codec.encode(changed)
    read = codec.decode("a", stored, "cli", "")
    assert getattr(read, field.name) == value
    assert codec.decode("a", codec.encode(entry), "cli", "") == entry


@pytest.mark.parametrize("field", ENTRY_FIELDS, ids=lambda field: field.name)
def test_every_field_is_an_option_of_add(field: EntryField) -> None:
    options = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    name = {"options": "option", "enabled": "enabled"}.get(field.name, field.name)
    assert f"--{name.replace('_', '-')}" in options
