"""Copy everything in a store into an empty store of any kind.

The next call continues an interrupted copy. The source is only read, and in the end it may get a
note that it was copied, so that no daemon runs on it any more. The target keeps the state of
the copy in a note under `COPY_KEY`: what the source was when the copy began, and the place of the
last copied history record. Each batch of records is written together with this note, so no record
is written twice. Every other step may be repeated.
"""

from datetime import datetime
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from beatd.catalog import Change, Query, Stored
from beatd.copying.copy_counts import (
    ALL,
    Counts,
    Progress,
    counts_of,
    in_batches_of,
    marks_of,
    page_of_changes,
    pages_of_changes,
)
from beatd.copying.copy_state import (
    CopyState,
    mark_of,
    read_state,
    state_mark,
    state_of,
    write_state,
)
from beatd.errors import BeatError, Conflict, StoreError
from beatd.incident import Incident
from beatd.ledger import Request
from beatd.store import Roles

CHANGED = "FROM changed while it was copied; stop what changes it, empty TO and copy again"


class Copied(Struct, frozen=True):
    """The result of copying a store: how much each of the two stores has in it.

    `resumed` is True if an earlier call had begun the copy. `kept` is the maximum number of history
    records in the target, or None if there is no maximum.
    """

    source: Counts
    target: Counts
    resumed: bool
    kept: int | None = None

    @property
    def is_whole(self) -> bool:
        if self.kept is None or self.source.records <= self.kept:
            return self.source == self.target
        # The oldest records are gone, and with them outcomes of their runs.
        fewer = {"records": 0, "outcomes_of_runs": 0}
        is_full = self.kept <= self.target.records <= self.source.records
        return is_full and replace(self.source, **fewer) == replace(self.target, **fewer)


def copy_store(
    source: Roles, target: Roles, now: datetime, progress: Progress, *, place: str = ""
) -> Copied:
    """Copy everything in `source` into `target`, and return how much each of the two stores has.

    An unfinished copy is continued; a finished copy is only counted again. With `place`, the URL of
    the target without its password, a complete copy is noted in the source, and no daemon runs on
    it any more; without it the source stays in use. Raise BeatError, in most
    cases before anything is copied:

    - if a daemon runs on one of the stores,
    - if the source is empty or has claimed runs whose outcome is not recorded,
    - if the target is neither empty nor a copy of this source,
    - if the source changed during the copy, or something else wrote to the target.
    """
    _refuse_daemons(source, target)
    _refuse_open_claims(source)
    begun = state_of(source)
    before = read_state(target)
    if before is None:
        if not source.catalog.count() and _is_empty(source):
            raise BeatError("FROM is empty: there is nothing to copy")
        if not _is_empty(target):
            raise BeatError(
                "TO is not empty, and no copy of FROM: it has entries "
                f"({target.catalog.count()}), history, requests, incidents or changes; copy into "
                "an empty store"
            )
    elif replace(before, after="", is_done=False) != begun:
        raise BeatError(
            "TO has an unfinished copy of another store, or FROM has changed since that copy "
            "began; empty TO and copy again"
        )
    held = counts_of(source, progress)
    if before is None or not before.is_done:
        state = before or begun
        _copy(source, target, state, held, now, progress)
        _refuse_daemons(source, target)
        if len(source.requests.requests(ALL)) != held.requests:
            raise BeatError(CHANGED)
        _refuse_changed(source, begun)
        write_state(target, replace(begun, is_done=True), now)
    there = counts_of(target, progress)
    there = replace(there, marks=len(marks_of(source) & marks_of(target)))
    copied = Copied(held, there, resumed=before is not None, kept=target.records.most_records)
    if place and copied.is_whole:
        _note_copy(source, target, begun, place, now)
    return copied


def _note_copy(source: Roles, target: Roles, begun: CopyState, place: str, now: datetime) -> None:
    # A daemon begins a term and reads the note after that. Here the note is written first and the
    # term is read after that, so one of the two always notices the other.
    marks, before = source.catalog.marks, target.catalog.marks.copied_to()
    try:
        marks.write_copied_to(place, now)
    except StoreError as error:
        raise BeatError(
            f"everything is copied, but FROM cannot be marked as copied: {error}; start no daemon "
            "on it (with --backup it gets no mark)"
        ) from None
    try:
        _refuse_changed(source, begun)
        if target.catalog.marks.copied_to() != before:
            raise BeatError("FROM and TO are the same store; name another one for TO")
    except BeatError:
        marks.write_copied_to("", now)
        raise


def _copy(
    source: Roles,
    target: Roles,
    state: CopyState,
    held: Counts,
    now: datetime,
    progress: Progress,
) -> None:
    # The entries come after the long history: until then a daemon would have nothing to run.
    write_state(target, state, now)
    target.copies.write_identity(source.requests.namespace, source.terms.term())
    _copy_records(source, target, state, held.records, now, progress)
    _copy_incidents(source, target)
    _copy_changes(source, target, held.changes, progress)
    _copy_entries(source, target, held.entries, progress)
    target.copies.write_running(source.outcomes.running(None))
    _copy_requests(source, target, progress)
    for mark in marks_of(source):
        target.copies.write_mark(mark)
    if target.catalog.marks.copied_to() is not None:  # it was copied to another store, and emptied
        target.catalog.marks.write_copied_to("", now)


def _copy_records(
    source: Roles,
    target: Roles,
    state: CopyState,
    total: int,
    now: datetime,
    progress: Progress,
) -> None:
    live = source.outcomes.live_deliveries(ALL)
    if live and not target.catalog.count():
        target.outcomes.write_outcomes(live, now)
    if (seen := state_mark(target)) is None:
        raise Conflict("TO was emptied while it was written; copy again")
    done = sum(1 for _ in target.records.records("")) if state.after else 0
    for some in in_batches_of(source.records.records(state.after)):
        known = source.outcomes.outcomes([one.record.task_id for one in some])
        deliveries = list(chain.from_iterable(known.values()))
        if deliveries:
            target.outcomes.write_outcomes(deliveries, now)
        state = replace(state, after=some[-1].place)
        mark = mark_of(state, seen.at)
        if not target.records.write_records(some, mark, seen):
            raise Conflict("another copy into TO is running; wait for its end, and copy again")
        seen, done = mark, done + len(some)
        progress("records", done, total)


def _copy_incidents(source: Roles, target: Roles) -> None:
    there = set(map(_key_of, target.incidents.incidents(None, None)))
    missing = [
        one for one in source.incidents.incidents(None, None) if _key_of(one) not in there
    ]  # fmt: skip
    for incident in reversed(missing):  # the closed ones before an open one of their kind
        target.incidents.put_incidents([replace(incident, revision=1)])


def _copy_changes(source: Roles, target: Roles, total: int, progress: Progress) -> None:
    # Oldest first. Those that the target has are left out.
    # A store gives the newest first: only the beginnings of the pages are kept in memory.
    beginnings = ["", *(page[-1].id for page in pages_of_changes(source))]
    done = 0
    for before in reversed(beginnings):
        if page := page_of_changes(source, before):
            target.records.write_changes(page[::-1])
            done += len(page)
            progress("changes", done, total)


def _copy_entries(source: Roles, target: Roles, total: int, progress: Progress) -> None:
    done = 0
    some_there = target.catalog.count() > 0
    for rows in in_batches_of(source.catalog.find(Query())):
        names = tuple(row.entry.name for row in rows)
        there = set[str]()
        if some_there:  # an earlier copy was interrupted
            there = {row.entry.name for row in target.catalog.find(Query(names=names))}
        changes = [_change_of(row) for row in rows if row.entry.name not in there]
        for change, made in zip(changes, target.catalog.write(changes), strict=True):
            if not made:
                raise Conflict(
                    f"entry {change.name!r} was added to TO meanwhile; empty TO and copy again"
                )
        outcomes = source.outcomes.entry_outcomes(names)
        target.copies.write_entry_outcomes(list(outcomes.values()))
        done += len(rows)
        progress("entries", done, total)


def _change_of(row: Stored) -> Change:
    return Change(
        name=row.entry.name,
        seen=0,
        entry=row.entry,
        plan=row.plan,
        paused=row.paused,
        runs=row.runs,
        last=row.last,
        pause=row.pause,
    )


def _copy_requests(source: Roles, target: Roles, progress: Progress) -> None:
    pending = source.requests.requests(ALL)
    for some in in_batches_of(iter(pending)):
        names = tuple({request.name for request, _ in some})
        there = {row.entry.name: row.revision for row in target.catalog.find(Query(names=names))}

        def moved(request: Request, row: Stored | None, there: dict[str, int] = there) -> Request:
            revision = there.get(request.name)
            if row is None or revision is None:
                return request
            # An edit since the request gave the entry a newer revision. It must be newer in the
            # target, too.
            is_present = request.revision == row.revision
            return replace(request, revision=revision if is_present else max(0, revision - 1))

        target.requests.add_requests([moved(request, row) for request, row in some])
    progress("requests", len(pending), len(pending))


# the two stores


def _refuse_daemons(source: Roles, target: Roles) -> None:
    for which, store in (("FROM", source), ("TO", target)):
        running = [f"{one.holder.name} ({one.role})" for one in store.presences.daemons()]
        if running:
            raise BeatError(f"stop the daemons on {which} first: {', '.join(running)}")


def _refuse_open_claims(source: Roles) -> None:
    count = source.history.open_claims()
    if count:
        raise BeatError(
            f"FROM has {count} open claim{'s' if count > 1 else ''}: runs that were claimed and "
            "whose outcome is not recorded. Run a daemon on FROM until `beatd history` shows none "
            "as claimed, stop it, and copy again"
        )


def _refuse_changed(source: Roles, begun: CopyState) -> None:
    if state_of(source) != begun:
        raise BeatError(CHANGED)


def _is_empty(store: Roles) -> bool:
    return not (
        store.catalog.count()
        or next(store.records.records(""), None)
        or store.requests.requests(1)
        or next(store.incidents.incidents(None, 1), None)
        or store.changes.changes(None, 1)
    )


def _key_of(incident: Incident) -> tuple[str, str, datetime]:
    return incident.kind, incident.name, incident.opened
