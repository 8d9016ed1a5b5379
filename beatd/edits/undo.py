"""Undo a change of an entry, by a new change that restores the state before it."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from beatd.catalog import Change, Codec, EditableCatalog, Stored
from beatd.changes import Author, ChangeRecord, Changes, EntryState, Pause
from beatd.edits.editing import (
    ATTEMPTS_MAX,
    Now,
    contention_error,
    is_declared,
    refuse_declared,
    refuse_stale,
    rows,
)
from beatd.edits.entry_change import added, changed, removed
from beatd.edits.ownership import mark_takeovers
from beatd.edits.pausing import refuse_past_end
from beatd.entry import Entry
from beatd.errors import BeatError, Conflict


class Undone(Struct, frozen=True):
    """The result of `undo`: the undone record, and the entry's row before and after the undo.

    `before` is None if the entry did not exist, and `after` is None if `undo` removed it.
    """

    record: ChangeRecord
    before: Stored | None
    after: Stored | None


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
    """Restore what the change with this id changed, and return what was done.

    If the change left the definition with its owner, or the pause, alone, that part stays as it is
    now. Raises BeatError if there is no such change or if its definition was too large to keep,
    ConfigError if the restored pause would have ended already, and Conflict if the entry is not as
    the change left it, or if a file or an app declares it. With `force` there is no Conflict, and
    the store then owns an entry that was declared. The note of the new change begins with
    "undo of ID".
    """
    record, row = _found(catalog, changes, id, codec, force=force)
    author = replace(author, note=_note(id, author.note))
    seen = 0 if row is None else row.revision
    for _ in range(ATTEMPTS_MAX):
        refuse_stale(record.name, row, seen)
        change = _restoring(record, row, now(), author, codec, force=force)
        if change is None or catalog.write([change])[0]:
            _mark_compared(catalog, record, row, change)
            return Undone(record, row, _row(catalog, record.name))
        row = _row(catalog, record.name)  # a run was claimed, or another writer came first
    raise contention_error(record.name)


def check_undo(catalog: EditableCatalog, changes: Changes, id: str, now: Now, codec: Codec) -> None:
    """Raise the error that `undo` without `force` would raise now, and change nothing."""
    record, row = _found(catalog, changes, id, codec, force=False)
    _restoring(record, row, now(), Author(), codec, force=False)


def _found(
    catalog: EditableCatalog, changes: Changes, id: str, codec: Codec, *, force: bool
) -> tuple[ChangeRecord, Stored | None]:
    # The record of the change, and its entry as it is now.
    record = changes.change(id)
    if record is None:
        raise BeatError(f"no change {id!r}; `beatd changes` shows what there is")
    row = _row(catalog, record.name)
    if not force and _state_of(row, codec) != record.after:
        _refuse_if_changed_since(changes, record)
    return record, row


def _note(id: str, note: str) -> str:
    # Not a field of its own: each store, and each older beatd, keeps and shows a note.
    return f"undo of {id}: {note}" if note else f"undo of {id}"


def _state_of(row: Stored | None, codec: Codec) -> EntryState | None:
    if row is None:
        return None
    entry, until = row.entry, None if row.pause is None else row.pause.until
    definition = codec.encode(entry).decode()
    return EntryState(definition, entry.source, entry.declared_at, row.paused, until)


def _row(catalog: EditableCatalog, name: str) -> Stored | None:
    return rows(catalog, (name,)).get(name)


def _refuse_if_changed_since(changes: Changes, record: ChangeRecord) -> None:
    newest = changes.changes(record.name, 1)
    if newest and newest[0].id != record.id:
        by = newest[0].author.name
        raise Conflict(
            f"entry {record.name!r} was changed again since, by {by} (change {newest[0].id}); "
            "undo that one first, or use --force"
        )


def _restoring(
    record: ChangeRecord,
    row: Stored | None,
    now: datetime,
    author: Author,
    codec: Codec,
    *,
    force: bool,
) -> Change | None:
    # The result is None if nothing is left to undo.
    before = record.before
    if before is None:
        if row is None:
            return None
        refuse_declared(row.entry, "removed", force=force)
        return removed(row, author)
    if row is None:
        _refuse_undeclared(record, before, force=force)
        entry = _entry_of(record, before, codec, force=force)
        pause = _pause_of(before, None, now, author)
        return replace(added(entry, now, author), paused=before.paused, pause=pause)
    entry, paused, restored = row.entry, row.paused, row.pause
    if _changed_definition(record):
        refuse_declared(row.entry, "restored", force=force)
        entry = _entry_of(record, before, codec, force=force)
    if record.after is None or _pause(record.before) != _pause(record.after):
        paused, restored = before.paused, _pause_of(before, row.pause, now, author)
    return changed(row, entry, now, author, paused=paused, pause=restored if paused else None)


def _changed_definition(record: ChangeRecord) -> bool:
    before, after = record.before, record.after
    if before is None or after is None:
        return True
    if not (before.definition or after.definition):  # both were too large to keep
        return record.action == "edited"
    return _definition(before) != _definition(after)


def _definition(state: EntryState) -> tuple[str, str, str]:
    return state.definition, state.source, state.declared_at


def _pause(state: EntryState | None) -> tuple[bool, datetime | None] | None:
    return None if state is None else (state.paused, state.until)


def _pause_of(state: EntryState, held: Pause | None, now: datetime, author: Author) -> Pause | None:
    # `held` is the pause that the entry has now. Raises ConfigError if the end of the old pause is
    # past.
    if not state.paused:
        return None
    refuse_past_end(state.until, now)
    if held is not None:
        return replace(held, until=state.until)
    return Pause(now, author.name, state.until, author.note)


def _refuse_undeclared(record: ChangeRecord, state: EntryState, *, force: bool) -> None:
    if record.author.via in ("file", "app", "django") and not force:
        where = state.declared_at or state.source
        raise Conflict(
            f"entry {record.name!r} was removed because {where} does not declare it any more: "
            "declare it there again, or use --force"
        )


def _entry_of(record: ChangeRecord, state: EntryState, codec: Codec, *, force: bool) -> Entry:
    # With `force`, the owner of an entry that was declared is "cli", so that no file changes it
    # back.
    if not state.definition:
        raise BeatError(
            f"the definition of {record.name!r} before change {record.id} was too large to keep; "
            "edit the entry by hand"
        )
    definition = state.definition.encode()
    entry = codec.decode(record.name, definition, state.source, state.declared_at)
    return replace(entry, source="cli", declared_at="") if force and is_declared(entry) else entry


def _mark_compared(
    catalog: EditableCatalog, record: ChangeRecord, row: Stored | None, change: Change | None
) -> None:
    owner = change.entry.source if change is not None and change.entry is not None else ""
    lost = row.entry.source if row is not None else ""
    # The leader compares what these owners declare with the store again.
    if owner != lost:
        mark_takeovers(catalog, [one for one in (owner, lost) if ":" in one])
