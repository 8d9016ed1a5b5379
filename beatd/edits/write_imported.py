"""Write entries that were read from another scheduler to the store."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from beatd.catalog import Change, EditableCatalog, Stored
from beatd.changes import Author
from beatd.definition import plain_of
from beatd.definition.arguments import same
from beatd.edits import editing, entry_change
from beatd.entry import Entry

NEW, REPLACED, UNCHANGED, READ_AGAIN = "new", "replaced", "unchanged", "last run read again"
DONE = (NEW, REPLACED, UNCHANGED, READ_AGAIN)


class Imported(Protocol):
    """An entry, with its last run and its number of runs under another scheduler."""

    @property
    def entry(self) -> Entry: ...
    @property
    def last(self) -> datetime | None: ...
    @property
    def runs(self) -> int: ...


class ImportOptions(Struct, frozen=True, kw_only=True):
    """How an import writes entries to the store.

    `since` is the moment from which next runs are computed, or None for now. With `replacing`, an
    entry of the same name that a command added is replaced. With `dry_run`, nothing is written.
    """

    since: datetime | None = None
    replacing: bool = False
    dry_run: bool = False


def write_imported(
    catalog: EditableCatalog,
    entries: Iterable[Imported],
    now: editing.Now,
    options: ImportOptions,
    author: Author | None = None,
    progress: Callable[[int], object] = lambda done: None,
) -> dict[str, str]:
    """Write imported entries to the store, and return the result of each by name.

    A result is one of DONE, or the reason why the entry was not written. An entry of the same name
    is replaced only with `options.replacing`, and never if a file or an app declares it. An entry
    that was imported before gets a new next run if the other scheduler ran it since. `progress` is
    called after each batch with the number of entries that are done.
    """
    outcome: dict[str, str] = {}
    for batch in editing.in_batches(entries):
        there = editing.rows(catalog, [one.entry.name for one in batch])
        moment = options.since or now()
        changes: list[Change] = []
        for one in batch:
            done, made = _changes(one, there.get(one.entry.name), moment, options.replacing, author)
            outcome[one.entry.name] = done
            changes += made
        if changes and not options.dry_run:
            for change, written in zip(changes, catalog.write(changes), strict=True):
                if not written:
                    outcome[change.name] = "changed by others meanwhile; import it again"
        progress(len(outcome))
    return outcome


def _changes(
    one: Imported, row: Stored | None, moment: datetime, replacing: bool, author: Author | None
) -> tuple[str, list[Change]]:
    # `row` is the stored entry of the same name, or None. A next run is computed from `moment`.
    entry = one.entry
    if row is None:
        return NEW, [entry_change.added(entry, moment, author, runs=one.runs, last=one.last)]
    if same(entry, row.entry) or _differ_in_last_run(entry, row):
        if one.last is None or (row.last is not None and row.last >= one.last):
            return UNCHANGED, []
        again = entry_change.added(entry, moment, author, runs=one.runs, last=one.last)
        return READ_AGAIN, [entry_change.removed(row, author), replace(again, paused=row.paused)]
    if editing.is_declared(row.entry):
        return f"left alone: {editing.owner_text(row.entry)}", []
    if not replacing:
        return "left alone: the name is taken; --replace replaces it", []
    return REPLACED, [entry_change.rewritten(row, entry, moment, author)]


def _differ_in_last_run(entry: Entry, row: Stored) -> bool:
    if entry.source != row.entry.source:
        return False
    # The importer sets `start` to the last run.
    one, other = plain_of(entry), plain_of(row.entry)
    if "every" not in one or "start" not in one:
        return False
    return {**one, "start": ""} == {**other, "start": ""}
