"""Count what a store has in it, so that a copy can be compared with the original."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from msgspec import Struct

from beatd.catalog import Query
from beatd.changes import ChangeRecord
from beatd.copying.copy_state import COPY_KEY
from beatd.marks import COPIED_KEY, SEEN_SUFFIX, Mark
from beatd.store import Roles

BATCH = 1_000
ALL = 1_000_000_000  # a limit above any number of requests and live deliveries
T = TypeVar("T")
#: Called with what is copied, how many of it are copied, and how many there are.
Progress = Callable[[str, int, int], None]


class Counts(Struct, frozen=True, rename="kebab"):
    """How many entries, records and other rows a store has, to compare a copy with the original.

    `changes` counts the records of who changed entries; `pauses` those whose author is known.
    """

    entries: int = 0
    paused_or_disabled: int = 0
    records: int = 0
    outcomes_of_runs: int = 0
    outcomes_of_entries: int = 0
    running: int = 0
    requests: int = 0
    incidents: int = 0
    changes: int = 0
    pauses: int = 0
    marks: int = 0


def counts_of(store: Roles, progress: Progress) -> Counts:
    records = outcomes = 0
    for some in in_batches_of(store.records.records("")):
        known = store.outcomes.outcomes([one.record.task_id for one in some if one.record.task_id])
        outcomes += sum(map(len, known.values()))
        records += len(some)
        progress("counting records", records, 0)
    stopped = pauses = outcomes_of_entries = 0
    for rows in in_batches_of(store.catalog.find(Query())):
        stopped += sum(1 for row in rows if row.paused or not row.entry.enabled)
        pauses += sum(1 for row in rows if row.pause is not None)
        # Not of all at once: the answer would be large, and a transaction long.
        outcomes_of_entries += len(store.outcomes.entry_outcomes([r.entry.name for r in rows]))
    return Counts(
        entries=store.catalog.count(),
        paused_or_disabled=stopped,
        records=records,
        outcomes_of_runs=outcomes,
        outcomes_of_entries=outcomes_of_entries,
        running=len(store.outcomes.running(None)),
        requests=len(store.requests.requests(ALL)),
        incidents=sum(1 for _ in store.incidents.incidents(None, None)),
        changes=sum(map(len, pages_of_changes(store))),
        pauses=pauses,
        marks=len(marks_of(store)),
    )


def marks_of(store: Roles) -> frozenset[Mark]:
    """Return the marks of a store, short notes under keys, that a complete copy of it must have.

    The notes about copies themselves are left out, and those that only fit their own store's
    version.
    """
    return frozenset(
        mark
        for mark in store.copies.all_marks()
        if mark.key not in (COPY_KEY, COPIED_KEY) and not mark.key.endswith(SEEN_SUFFIX)
    )


def pages_of_changes(store: Roles) -> Iterator[Sequence[ChangeRecord]]:
    """Yield the records of who changed which entry in pages, newest first."""
    page = page_of_changes(store, "")
    while page:
        yield page
        page = page_of_changes(store, page[-1].id)


def page_of_changes(store: Roles, before: str) -> Sequence[ChangeRecord]:
    """Return one page of the records of changes, newest first: those older than the record
    `before`.

    `before` is the id of a record, or "" for the first page.
    """
    return store.changes.changes(None, BATCH, before)


def in_batches_of(values: Iterator[T]) -> Iterator[list[T]]:
    while some := list(islice(values, BATCH)):
        yield some
