"""Convert pauses, and the records of who changed which entry, to table rows and back."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, json

from beatd.changes import Action, Author, ChangeRecord, EntryState, Pause
from beatd.run import micros, moment_of
from beatd.stores.sql.dialect import Kind

RECORD_COLUMNS: dict[str, Kind] = {"name": "text", "at": "int", "record": "text"}
PAUSE_COLUMNS: dict[str, Kind] = {"name": "text", "until": "int", "pause": "text"}
ID_DIGITS_MAX = 18  # more than any row id has; a number of 19 digits may be too large


class _Change(Struct, frozen=True):
    action: Action
    author: Author
    before: EntryState | None
    after: EntryState | None


def cells_of_record(record: ChangeRecord) -> Sequence[Any]:
    """Return the column values of a record of a change of an entry; the database adds the id."""
    made = _Change(record.action, record.author, record.before, record.after)
    return [record.name, micros(record.at), json.encode(made).decode()]


def record_of_row(row: Any) -> ChangeRecord:
    """Convert a table row to the record of a change of an entry. A damaged row raises an
    exception."""
    made = json.decode(row.record, type=_Change)
    return ChangeRecord(
        id=str(row.id),
        at=moment_of(row.at),
        name=row.name,
        action=made.action,
        author=made.author,
        before=made.before,
        after=made.after,
    )


def cells_of_pause(name: str, pause: Pause) -> Sequence[Any]:
    """Return the column values of the pause of an entry, for a table row."""
    until = None if pause.until is None else micros(pause.until)
    return [name, until, json.encode(pause).decode()]


def pause_of(text: str) -> Pause:
    """Decode the pause of an entry from its JSON text. A damaged text raises an exception."""
    return json.decode(text, type=Pause)


def row_number(id: str) -> int | None:
    """Convert the id of a record, such as "42", to its number, or return None for any other
    text."""
    is_number = id.isascii() and id.isdigit() and len(id) <= ID_DIGITS_MAX
    return int(id) if is_number else None
