"""Add, put, patch and remove entries in a store, as operators do.

If another writer changes a row during an edit, the row is read again and the edit is repeated.
Daemons may run meanwhile. No past moment runs because of an edit. `now` is a function that returns
the present moment, such as `present`. `author` is who makes the edit; with None, no record of the
change is written. `seen` is the revision that the caller read: Stale is raised if the entry has
another one. None makes the edit in any case.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

from beatd.catalog import Change, EditableCatalog, EntryFinder, Query, Stored
from beatd.changes import Author
from beatd.clock import Clock, SharedClock
from beatd.definition.arguments import same
from beatd.edits.entry_change import added, removed, rewritten
from beatd.edits.ownership import mark_takeovers
from beatd.edits.replan import mark_if_empty
from beatd.edits.unknown_entry import unknown
from beatd.entry import Entry
from beatd.errors import ConfigError, Conflict, Stale

ROWS_PER_BATCH = 500
ATTEMPTS_MAX = 100  # while other writers change the same row
_HOW_ADDED = {"cli": "added by hand", "page": "added on the page", "api": "added with the API"}

T = TypeVar("T")
Now = Callable[[], datetime]
Make = Callable[[Sequence[Stored]], Iterable[Change]]


def present(store: SharedClock, clock: Clock) -> datetime:
    """Return the present moment by the store's clock, or by `clock` if the store has no clock.

    The store's clock is right even if the clock of this host is wrong.
    """
    reply = store.now()
    return clock.now() if reply is None else reply.moment


def in_batches(items: Iterable[T], size: int = ROWS_PER_BATCH) -> Iterator[list[T]]:
    """Yield the items in lists of at most `size`."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def is_declared(entry: Entry) -> bool:
    """Return True if a file or an app declares the entry, False if a command added it."""
    return ":" in entry.source


# Reading


def rows(catalog: EntryFinder, names: Iterable[str]) -> dict[str, Stored]:
    """Return the stored entries of these names as a dict by name; unknown names are left out."""
    found: dict[str, Stored] = {}
    for batch in in_batches(names):
        for row in catalog.find(Query(names=tuple(batch))):
            found[row.entry.name] = row
    return found


def row_of(catalog: EntryFinder, name: str) -> Stored:
    """Return the stored entry of this name; raise UnknownEntry if there is none."""
    found = rows(catalog, (name,)).get(name)
    if found is None:
        raise unknown(catalog, name)
    return found


# The edits


def add(catalog: EditableCatalog, entry: Entry, now: Now, author: Author | None = None) -> Stored:
    """Add a new entry to the store, and return it as stored.

    Its next run is computed from `now`. Raises Conflict if the store has the name already.
    """
    moment = now()
    mark_if_empty(catalog, moment)
    change = added(entry, moment, author)
    if not catalog.write([change])[0]:
        held = rows(catalog, (entry.name,)).get(entry.name)
        whose = f": {owner_text(held.entry)}" if held else ""
        raise Conflict(f"entry {entry.name!r} is there already{whose}; nothing was changed")
    return _row_after(catalog, change, None)


def put(
    catalog: EditableCatalog,
    entry: Entry,
    now: Now,
    author: Author | None = None,
    *,
    force: bool = False,
    seen: int | None = None,
) -> Stored:
    """Add an entry, or replace the entry of the same name, and return it as stored.

    A replaced entry keeps its number of runs and its pause. Raises Conflict if a file or an app
    declares the old entry, unless `force`; then the new entry's owner gets the name. Raises
    Conflict also if other writers changed the entry in every attempt.
    """
    for _ in range(ATTEMPTS_MAX):
        row = rows(catalog, (entry.name,)).get(entry.name)
        refuse_stale(entry.name, row, seen)
        if row is None:
            change = added(entry, now(), author)
        else:
            refuse_declared(row.entry, "changed", force=force, by=entry.source)
            change = rewritten(row, entry, now(), author)
        if catalog.write([change])[0]:
            _mark_lost(catalog, [] if row is None else [row], by=entry.source)
            return _row_after(catalog, change, row)
    raise contention_error(entry.name)


def patch(
    catalog: EditableCatalog,
    name: str,
    edit: Callable[[Entry], Entry],
    now: Now,
    author: Author | None = None,
    *,
    force: bool = False,
    seen: int | None = None,
) -> Stored:
    """Change an entry with the function `edit`, and return it as stored.

    Two edits of different fields at the same time are both written. Raises UnknownEntry for an
    unknown name, ConfigError if `edit` changes the name, and Conflict if a file or an app declares
    the entry, unless `force`.
    """

    made: list[tuple[Change, Stored]] = []

    def make(found: Sequence[Stored]) -> Iterator[Change]:
        (row,) = found
        refuse_stale(name, row, seen)
        refuse_declared(row.entry, "edited", force=force)
        edited = edit(row.entry)
        if edited.name != name:
            raise ConfigError(f"entry {name!r} cannot be renamed; add {edited.name!r} instead")
        made.append((rewritten(row, edited, now(), author), row))
        if not same(edited, row.entry):
            yield made[-1][0]

    change_each(catalog, (name,), make)
    change, row = made[-1]
    _mark_lost(catalog, [row], by=change.entry.source if change.entry else "")
    return _row_after(catalog, change, row)


def remove(
    catalog: EditableCatalog,
    names: Sequence[str],
    author: Author | None = None,
    *,
    force: bool = False,
    seen: int | None = None,
) -> dict[str, Entry]:
    """Remove entries from the store, and return them as a dict by name.

    Raises UnknownEntry for an unknown name, and Conflict if a file or an app declares an entry;
    then nothing is removed. With `force`, declared entries are removed too, and the leader adds
    them again if they are still declared.
    """
    gone: dict[str, Stored] = {}

    def make(found: Sequence[Stored]) -> Iterator[Change]:
        for row in found:
            refuse_stale(row.entry.name, row, seen)
            refuse_declared(row.entry, "removed", force=force)
            gone[row.entry.name] = row
            yield removed(row, author)

    change_each(catalog, names, make, skips_missing=True)
    _mark_lost(catalog, gone.values(), by="")
    return {name: row.entry for name, row in gone.items()}


# Shared by the edits


def owner_text(entry: Entry) -> str:
    """Return a text that names an entry's owner, such as "added by hand (source cli)"."""
    if not is_declared(entry):
        return f"{_HOW_ADDED.get(entry.source, 'added')} (source {entry.source})"
    return f"declared in {entry.declared_at or entry.source} (source {entry.source})"


def refuse_declared(entry: Entry, verb: str, *, force: bool, by: str = "") -> None:
    """Raise Conflict if a file or an app declares the entry, unless `force` or its owner is `by`.

    `verb`, such as "changed", is the last word of the message "… was not changed".
    """
    if is_declared(entry) and not force and entry.source != by:
        where = entry.declared_at or entry.source
        raise Conflict(
            f"entry {entry.name!r} is declared in {where} (source {entry.source}) and was not "
            f"{verb}: change it there, or pause it, or use --force"
        )


def refuse_stale(name: str, row: Stored | None, seen: int | None) -> None:
    """Raise Stale if the entry's revision is not `seen`; 0 stands for an entry that does not exist.

    If `seen` is None, any revision is accepted.
    """
    revision = 0 if row is None else row.revision
    if seen is not None and revision != seen:
        what = "was removed" if row is None else "was changed by somebody else"
        raise Stale(f"entry {name!r} {what} since you read it; nothing was changed; read it again")


def _mark_lost(catalog: EditableCatalog, before: Iterable[Stored], *, by: str) -> None:
    # The owner `by` took these entries from their owners; "" means that they were removed.
    lost = (row.entry for row in before if is_declared(row.entry) and row.entry.source != by)
    mark_takeovers(catalog, (entry.source for entry in lost))


def _row_after(catalog: EntryFinder, change: Change, before: Stored | None) -> Stored:
    # `before` is the entry before the edit, or None if it is new. If another writer removed the
    # entry since, the result has the values that the change wrote.
    row = rows(catalog, (change.name,)).get(change.name)
    if row is not None:
        return row
    plan = change.plan or (before.plan if before else None)
    assert change.entry is not None and plan is not None, "nothing was put"
    return Stored(
        entry=change.entry,
        revision=before.revision if before else 0,
        paused=change.paused,
        plan=plan,
        runs=before.runs if before else 0,
        last=before.last if before else None,
    )


def change_each(
    catalog: EditableCatalog, names: Sequence[str], make: Make, *, skips_missing: bool = False
) -> None:
    """Write the changes that `make` returns for these entries, and retry refused changes.

    A change is refused if another writer changed its entry; `make` is then called with the new one.
    Raises UnknownEntry if a name is missing, and Conflict after 100 attempts. With `skips_missing`,
    a name that disappears between two attempts is ignored.
    """
    left = list(dict.fromkeys(names))
    for tries in range(ATTEMPTS_MAX):
        found = rows(catalog, left)
        if tries and skips_missing:
            left = [name for name in left if name in found]
        for name in left:
            if name not in found:
                raise unknown(catalog, name)
        changes = list(make([found[name] for name in left]))
        left = [
            change.name
            for batch in in_batches(changes)
            for change, done in zip(batch, catalog.write(batch), strict=True)
            if not done
        ]
        if not left:
            return
    raise contention_error(left[0])


def contention_error(name: str) -> Conflict:
    """Return the error to raise if other writers changed an entry during every attempt."""
    return Conflict(
        f"entry {name!r} was changed by others {ATTEMPTS_MAX} times in a row; try again"
    )
