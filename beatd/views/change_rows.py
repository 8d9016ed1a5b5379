"""Format the records of who changed which entry, as table rows and as JSON."""

from collections.abc import Iterator
from typing import Any

from msgspec import MsgspecError, json

from beatd.changes import ChangeRecord, Changes, EntryState
from beatd.edits.patch import difference
from beatd.views.entry_rows import iso_or_none
from beatd.views.outcome_rows import Cell
from beatd.views.pause_text import end_text

COLUMNS = ("id", "when", "who", "how", "entry", "what", "note")
PAGE = 500  # records that are read at once
STYLES = {"added": "green", "removed": "red", "paused": "yellow", "resumed": "green", "edited": ""}
VALUE_SHOWN_MAX = 60  # characters of a value in a table

#: The value before and the value after; None is the value of a field that is left out.
Fields = dict[str, tuple[Any, Any]]


def all_changes(changes: Changes, name: str | None, limit: int | None) -> Iterator[ChangeRecord]:
    """Yield the records of changes of the entry `name`, or of all entries if it is None, newest
    first.

    At most `limit` records are yielded; None means all.
    """
    before, left = "", limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        page = changes.changes(name, size, before)
        yield from page
        if len(page) < size:
            return
        before, left = page[-1].id, None if left is None else left - size


def change_json(record: ChangeRecord) -> dict[str, Any]:
    """Return the record of a change of an entry as a dict for JSON.

    "changed" has each changed field with its old and new value; it is None if the entry's
    definition was too large to keep.
    """
    fields = changed_fields(record)
    return {
        "id": record.id,
        "at": iso_or_none(record.at),
        "entry": record.name,
        "action": record.action,
        "by": record.author.name,
        "via": record.author.via,
        "note": record.author.note,
        "before": _state_json(record.before),
        "after": _state_json(record.after),
        "changed": None
        if fields is None
        else {key: {"before": old, "after": new} for key, (old, new) in fields.items()},
    }


def changed_fields(record: ChangeRecord) -> Fields | None:
    """Return the fields of an entry that an edit changed, each with its old and new value.

    The dict is empty for an added or removed entry. Return None if a definition was too large to
    keep.
    """
    before, after = record.before, record.after
    if before is None or after is None:
        return {}
    old, new = definition_of(before), definition_of(after)
    if old is None or new is None:
        return None if record.action == "edited" else {}
    fields = fields_between(old, new)
    if before.source != after.source:
        fields["source"] = (before.source, after.source)
    elif before.declared_at != after.declared_at:
        fields["declared_at"] = (before.declared_at or None, after.declared_at or None)
    return fields


def fields_between(old: dict[str, Any], new: dict[str, Any]) -> Fields:
    """Return the fields in which two definitions of an entry differ, each with its two values."""
    return {key: (_at(old, key), value) for key, value in difference(old, new).items()}


def definition_of(state: EntryState) -> dict[str, Any] | None:
    """Return an entry's definition with the keys of YAML, or None if it was too large to keep."""
    try:
        return json.decode(state.definition, type=dict[str, Any])
    except (MsgspecError, UnicodeError, RecursionError):
        return None


def change_cells(record: ChangeRecord, tz: str) -> list[Cell]:
    """Return the table row for a change of an entry, as `beatd changes` prints it.

    The cells are in the order of COLUMNS, without those of "id" and "when"; times are in the zone
    `tz`.
    """
    author = record.author
    return [
        author.name,
        author.via,
        record.name,
        (what_text(record, tz), STYLES[record.action]),
        author.note,
    ]


def what_text(record: ChangeRecord, tz: str) -> str:
    """Return what a change did, such as "edited cron: 0 2 * * * → 0 3 * * *".

    Times are in the zone `tz`.
    """
    words: str = record.action
    until = record.after.until if record.after is not None else None
    if record.action == "paused" and until is not None:
        words = f"paused until {end_text(until, record.at, tz)}"
    fields = changed_fields(record)
    if fields is None:
        return f"{words}, too large to show"
    shown = ", ".join(f"{key}: {_short(old)} → {_short(new)}" for key, (old, new) in fields.items())
    return f"{words} {shown}" if shown else words


def _state_json(state: EntryState | None) -> dict[str, Any] | None:
    if state is None:
        return None
    return {
        "definition": definition_of(state),
        "source": state.source,
        "declared_at": state.declared_at,
        "paused": state.paused,
        "until": iso_or_none(state.until),
    }


def _at(plain: dict[str, Any], key: str) -> Any:
    if key in plain:
        return plain[key]
    head, _, rest = key.partition(".")
    inner = plain.get(head)
    return inner.get(rest) if rest and isinstance(inner, dict) else None


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.encode(value).decode()
    return text if len(text) <= VALUE_SHOWN_MAX else f"{text[: VALUE_SHOWN_MAX - 1]}…"
