"""Changes made by hand: each is a patch of what is there now, made again when another came first.

Each takes the store and what tells its present moment (`present`), works on any EditableCatalog, is
safe beside running daemons and other editors, and never fires a past moment.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches
from itertools import islice
from typing import TypeVar

from beatd import planning
from beatd.catalog import Change, EditableCatalog, EntryFinder, Plan, Query, Stored
from beatd.clock import Clock, StoreClock
from beatd.definition.arguments import same
from beatd.edits.ownership import mark_takeovers
from beatd.edits.replan import begin
from beatd.entry import Entry
from beatd.errors import ConfigError, Conflict, UnknownEntry

BATCH = 500
TRIES = 100

T = TypeVar("T")
Now = Callable[[], datetime]
Make = Callable[[Sequence[Stored]], Iterable[Change]]


def present(store: StoreClock, clock: Clock) -> datetime:
    """The store's time where it has a clock, so that a host whose clock is off plans right."""
    told = store.now()
    return clock.now() if told is None else told.moment


def in_batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def is_declared(entry: Entry) -> bool:
    """Whether a file or an app owns it ("yaml:config"), rather than whoever typed it ("cli")."""
    return ":" in entry.source


# What is there


def rows(catalog: EntryFinder, names: Iterable[str]) -> dict[str, Stored]:
    """Those of the names that are in the store."""
    found: dict[str, Stored] = {}
    for batch in in_batches(names):
        for row in catalog.find(Query(names=tuple(batch))):
            found[row.entry.name] = row
    return found


def row_of(catalog: EntryFinder, name: str) -> Stored:
    found = rows(catalog, (name,)).get(name)
    if found is None:
        raise unknown(catalog, name)
    return found


def unknown(catalog: EntryFinder, name: str) -> UnknownEntry:
    """Names the nearest one that exists; looks only at names that begin alike, for there may be a
    million."""
    start = "".join(c for c in name[:2] if c not in "*?[]\\")
    near: list[str] = []
    if start:
        alike = catalog.find(Query(name_like=f"{start}*", limit=1000))
        near = get_close_matches(name, [row.entry.name for row in alike], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else "; `beatd list` shows what there is"
    return UnknownEntry(f"no entry {name!r} in the store{hint}")


# What a change does to the plan


def replanned(row: Stored, entry: Entry, now: datetime, *, paused: bool) -> Plan | None:
    """The plan that comes with a new definition, or None where the moment stays where it is.

    Only when it runs counts: a changed fingerprint, enabling, resuming, and a `max_runs` that ends
    or revives the entry. What is stopped stays where it was, so that it can be told what it missed.
    """
    used_up, was = (planning.has_run_out(one, row.runs) for one in (entry, row.entry))
    goes_on = entry.enabled and not paused
    went_on = row.entry.enabled and not row.paused
    same = row.plan.fingerprint == planning.fingerprint(entry) and used_up == was
    if same and (went_on or not goes_on):
        return None
    return planning.first(entry, now, paused=paused, runs=row.runs, last=row.last)


def rewritten(row: Stored, entry: Entry, now: datetime) -> Change:
    """The definition replaced; the pause mark stays."""
    return _changed(row, entry, now, paused=row.paused)


def _changed(row: Stored, entry: Entry, now: datetime, *, paused: bool) -> Change:
    plan = replanned(row, entry, now, paused=paused)
    skip = None if plan is None else planning.passed_over(row, now)
    missed = None if plan is None or paused else planning.missed_by_edit(row, entry, plan, skip)
    return Change(
        name=row.entry.name,
        seen=row.revision,
        entry=entry,
        plan=plan,
        paused=paused,
        skip=skip,
        progress=row.progress,
        missed=missed,
    )


def new(entry: Entry, now: datetime, *, runs: int = 0, last: datetime | None = None) -> Change:
    """A new entry that counts from `now`, and from what it did under another scheduler.

    A one-off that was past by then goes to the history.
    """
    plan = planning.first(entry, now, runs=runs, last=last)
    missed = planning.missed_when_new(entry, plan) if last is None and not runs else None
    return Change(entry.name, 0, entry, plan, runs=runs, last=last, missed=missed)


def removed(row: Stored) -> Change:
    return Change(name=row.entry.name, seen=row.revision, entry=None)


# The edits


def add(catalog: EditableCatalog, entry: Entry, now: Now) -> Stored:
    """A new entry; Conflict when the name is taken."""
    moment = now()
    begin(catalog, moment)
    change = new(entry, moment)
    if not catalog.write([change])[0]:
        held = rows(catalog, (entry.name,)).get(entry.name)
        whose = f" ({whose_it_is(held.entry)})" if held else ""
        raise Conflict(f"entry {entry.name!r} is there already{whose}; nothing was changed")
    return _left(catalog, change, None)


def put(catalog: EditableCatalog, entry: Entry, now: Now, *, force: bool = False) -> Stored:
    """The entry as given, whether there was one or not; its runs and its pause stay.

    Conflict when a file or an app declares it, unless `force`: then it changes hands.
    """
    for _ in range(TRIES):
        row = rows(catalog, (entry.name,)).get(entry.name)
        if row is None:
            change = new(entry, now())
        else:
            refuse_declared(row.entry, "changed", force=force, by=entry.source)
            change = rewritten(row, entry, now())
        if catalog.write([change])[0]:
            _tell_owners(catalog, [] if row is None else [row], by=entry.source)
            return _left(catalog, change, row)
    raise contended(entry.name)


def patch(
    catalog: EditableCatalog,
    name: str,
    edit: Callable[[Entry], Entry],
    now: Now,
    *,
    force: bool = False,
) -> Stored:
    """`edit` done to the entry as it is now, so that edits of different fields both stay."""

    made: list[tuple[Change, Stored]] = []

    def make(found: Sequence[Stored]) -> Iterator[Change]:
        (row,) = found
        refuse_declared(row.entry, "edited", force=force)
        edited = edit(row.entry)
        if edited.name != name:
            raise ConfigError(f"entry {name!r} cannot be renamed; add {edited.name!r} instead")
        made.append((rewritten(row, edited, now()), row))
        if not same(edited, row.entry):
            yield made[-1][0]

    _each(catalog, (name,), make)
    change, row = made[-1]
    _tell_owners(catalog, [row], by=change.entry.source if change.entry else "")
    return _left(catalog, change, row)


def remove(
    catalog: EditableCatalog, names: Sequence[str], *, force: bool = False
) -> dict[str, Entry]:
    """All of the names, or none where one is unknown or declared elsewhere; as they were."""
    gone: dict[str, Stored] = {}

    def make(found: Sequence[Stored]) -> Iterator[Change]:
        for row in found:
            refuse_declared(row.entry, "removed", force=force)
            gone[row.entry.name] = row
            yield removed(row)

    _each(catalog, names, make, gone_is_done=True)
    _tell_owners(catalog, gone.values(), by="")
    return {name: row.entry for name, row in gone.items()}


def pause(catalog: EditableCatalog, names: Sequence[str], now: Now) -> list[str]:
    """Marked, whatever declares it; the names that were not paused before."""
    return _mark(catalog, names, now, paused=True)


def resume(catalog: EditableCatalog, names: Sequence[str], now: Now) -> list[str]:
    """Runs again from now on, with nothing made up; the names that were paused before."""
    return _mark(catalog, names, now, paused=False)


# The parts they share


def whose_it_is(entry: Entry) -> str:
    if not is_declared(entry):
        return f"source {entry.source}"
    return f"declared in {entry.declared_at or entry.source}, source {entry.source}"


def refuse_declared(entry: Entry, verb: str, *, force: bool, by: str = "") -> None:
    if is_declared(entry) and not force and entry.source != by:
        where = entry.declared_at or entry.source
        raise Conflict(
            f"entry {entry.name!r} is declared in {where} (source {entry.source}) and was not "
            f"{verb}: change it there, or pause it, or use --force"
        )


def _tell_owners(catalog: EditableCatalog, before: Iterable[Stored], *, by: str) -> None:
    lost = (row.entry for row in before if is_declared(row.entry) and row.entry.source != by)
    mark_takeovers(catalog, (entry.source for entry in lost))


def _left(catalog: EntryFinder, change: Change, before: Stored | None) -> Stored:
    """The row as it is after the change; as it was written, where another has removed it since."""
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


def _mark(catalog: EditableCatalog, names: Sequence[str], now: Now, *, paused: bool) -> list[str]:
    marked: list[str] = []

    def make(found: Sequence[Stored]) -> Iterator[Change]:
        moment = now()
        for row in found:
            if row.paused != paused:
                marked.append(row.entry.name)
                yield _changed(row, row.entry, moment, paused=paused)

    _each(catalog, names, make)
    return list(dict.fromkeys(marked))


def _each(
    catalog: EditableCatalog, names: Sequence[str], make: Make, *, gone_is_done: bool = False
) -> None:
    """Make and write a change per name; those refused are read and made again."""
    left = list(dict.fromkeys(names))
    for tries in range(TRIES):
        found = rows(catalog, left)
        if tries and gone_is_done:
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
    raise contended(left[0])


def contended(name: str) -> Conflict:
    return Conflict(f"entry {name!r} was changed by others {TRIES} times in a row; try again")
