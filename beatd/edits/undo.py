"""Undo a change of an entry, by a new change that restores the state before it."""

from msgspec import Struct

from beatd.catalog import Codec, EditableCatalog, Stored
from beatd.changes import Author, ChangeRecord, Changes, EntryState
from beatd.edits.editing import Now, put, refuse_declared, remove, row_of, rows
from beatd.edits.pausing import pause, resume
from beatd.entry import Entry
from beatd.errors import BeatError, Conflict


class Undone(Struct, frozen=True):
    """What `undo` did: the record that it undid, and the entry's row afterwards.

    `row` is None if the entry was removed.
    """

    record: ChangeRecord
    row: Stored | None


def undo(
    catalog: EditableCatalog,
    changes: Changes,
    id: str,
    now: Now,
    author: Author,
    codec: Codec,
    *,
    force: bool = False,
) -> Undone:
    """Restore the entry as it was before the change with this id, and return what was done.

    Raises BeatError if there is no such change or if its definition was too large to keep, and
    Conflict if the entry has changed since, unless `force`, or if a file or an app declares it.
    """
    record = changes.change(id)
    if record is None:
        raise BeatError(f"no change {id!r}; `beatd changes` shows what there is")
    name, before = record.name, record.before
    row = rows(catalog, (name,)).get(name)
    if not force:
        _refuse_if_changed_since(changes, record)
    seen = 0 if row is None else row.revision
    if before is None:
        remove(catalog, [name], author, seen=seen)
        return Undone(record, None)
    if record.after is None or before.definition != record.after.definition:
        entry = _entry_of(record, before, codec)
        if row is not None:
            refuse_declared(row.entry, "restored", force=force, by=entry.source)
        put(catalog, entry, now, author, force=True, seen=seen)
    if before.paused:
        pause(catalog, [name], now, author, until=before.until)
    else:
        resume(catalog, [name], now, author)
    return Undone(record, row_of(catalog, name))


def _refuse_if_changed_since(changes: Changes, record: ChangeRecord) -> None:
    newest = changes.changes(record.name, 1)
    if newest and newest[0].id != record.id:
        by = newest[0].author.name
        raise Conflict(
            f"entry {record.name!r} was changed again since, by {by} (change {newest[0].id}); "
            "undo that one first, or use --force"
        )


def _entry_of(record: ChangeRecord, state: EntryState, codec: Codec) -> Entry:
    """Return the entry of a state. Raises BeatError if its definition was not kept."""
    if not state.definition:
        raise BeatError(
            f"the definition of {record.name!r} before change {record.id} was too large to keep"
        )
    definition = state.definition.encode()
    return codec.decode(record.name, definition, state.source, state.declared_at)
