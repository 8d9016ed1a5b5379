"""Entries of another scheduler written to the store, each on its own terms."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from beatd.catalog import Change, EditableCatalog, Stored
from beatd.definition import plain_of
from beatd.definition.arguments import same
from beatd.edits import editing
from beatd.entry import Entry

NEW, REPLACED, UNCHANGED, READ_AGAIN = "new", "replaced", "unchanged", "last run read again"
DONE = (NEW, REPLACED, UNCHANGED, READ_AGAIN)


class Imported(Protocol):
    """An entry, and what another scheduler did with it."""

    @property
    def entry(self) -> Entry: ...
    @property
    def last(self) -> datetime | None: ...
    @property
    def runs(self) -> int: ...


class How(Struct, frozen=True, kw_only=True):
    """`since` is the moment that entries count from, or None for now."""

    since: datetime | None = None
    replacing: bool = False
    dry_run: bool = False


def put_in(
    catalog: EditableCatalog, entries: Iterable[Imported], now: editing.Now, how: How
) -> dict[str, str]:
    """What became of each entry, by name.

    A name that is there already is left alone, or replaced where that was asked for and nothing
    declares it. An entry imported before counts from its last run anew, where the other scheduler
    has run it since.
    """
    outcome: dict[str, str] = {}
    for batch in editing.in_batches(entries):
        there = editing.rows(catalog, [one.entry.name for one in batch])
        moment = how.since or now()
        changes: list[Change] = []
        for one in batch:
            said, made = _changes(one, there.get(one.entry.name), moment, how.replacing)
            outcome[one.entry.name] = said
            changes += made
        if changes and not how.dry_run:
            for change, done in zip(changes, catalog.write(changes), strict=True):
                if not done:
                    outcome[change.name] = "changed by others meanwhile; import it again"
    return outcome


def _changes(
    one: Imported, row: Stored | None, moment: datetime, replacing: bool
) -> tuple[str, list[Change]]:
    entry = one.entry
    if row is None:
        return NEW, [editing.new(entry, moment, runs=one.runs, last=one.last)]
    if same(entry, row.entry) or _differ_in_last_run(entry, row):
        if one.last is None or (row.last is not None and row.last >= one.last):
            return UNCHANGED, []
        again = editing.new(entry, moment, runs=one.runs, last=one.last)
        return READ_AGAIN, [editing.removed(row), replace(again, paused=row.paused)]
    if editing.is_declared(row.entry):
        return f"left alone: {editing.whose_it_is(row.entry)}", []
    if not replacing:
        return "left alone: the name is taken; --replace replaces it", []
    return REPLACED, [editing.rewritten(row, entry, moment)]


def _differ_in_last_run(entry: Entry, row: Stored) -> bool:
    """True if both came from one source and only the moment differs that their grid begins at."""
    if entry.source != row.entry.source:
        return False
    one, other = plain_of(entry), plain_of(row.entry)
    if "every" not in one or "start" not in one:
        return False
    return {**one, "start": ""} == {**other, "start": ""}
