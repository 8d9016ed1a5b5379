"""Declared entries made true in the store: add, update, and prune what their owner dropped.

An owner is a kind of source and a name ("yaml:config", "app:config"); each prunes only its own.
`compare` reads and decides, `apply` also writes. Unchanged entries write nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any

from msgspec import Struct, json
from msgspec.structs import replace

from beatd.catalog import Change, EditableCatalog, Query, Stored
from beatd.definition.arguments import same, tagged
from beatd.edits.editing import Now, in_batches, new, removed, rewritten, rows
from beatd.edits.ownership import mark_takeovers
from beatd.edits.replan import begin
from beatd.entry import PAYLOAD, Entry
from beatd.errors import Deposed
from beatd.marks import AppliedSet, Marks, VerifiedSet

ROUNDS = 10
UNMARKED_FOR = timedelta(minutes=1)


class Declared(Struct, frozen=True, kw_only=True):
    """All that one owner declares, as it was read at one moment.

    `doubtful` are the places (a file, a folder, a glob) that are missing, empty or unreadable:
    what was declared there is kept until they are read again, or a prune is forced. So are the
    entries of `unread`, names whose definition could not be understood. `unreadable` are the files
    that are there and were never understood. `places` are where names are declared to the line,
    for people: the store keeps the file alone, for lines move. Where it is not all, `within` are
    the files that it is of: what others declared is not its business. `made` is when the edits of
    some names were made, where they were noticed later than that.
    """

    source: str
    entries: tuple[Entry, ...]
    loaded_at: datetime
    digest: str
    doubtful: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    places: dict[str, str] = {}
    within: frozenset[str] = frozenset()
    made: Mapping[str, datetime] = {}


def digest_of(entries: Iterable[Entry]) -> str:
    """The same on every host that declares the same, wherever its files lie."""
    plain = sorted(
        json.encode([entry.name, entry.schedule.plain(), _beside_the_schedule(entry)])
        for entry in entries
    )
    return blake2b(b"\n".join(plain), digest_size=16).hexdigest()


def _beside_the_schedule(entry: Entry) -> list[Any]:
    left_out = ("name", "schedule", "source", "declared_at")
    fields = {field: getattr(entry, field) for field in Entry.__struct_fields__}
    for name in PAYLOAD:
        fields[name] = tagged(fields[name])
    return [value for field, value in fields.items() if field not in left_out]


class Held(Struct, frozen=True):
    """A name that another owner holds; `same` when both say the same of it."""

    name: str
    declared_at: str
    holder: str
    held_at: str
    same: bool

    def __str__(self) -> str:
        here = f" ({self.held_at})" if self.held_at else ""
        return (
            f"{self.declared_at}: entry {self.name!r} is held by {self.holder}{here}; "
            "it was left alone: rename one of them, or remove the other"
        )


class Step(Struct, frozen=True):
    """An entry to put (None: to remove), and the row that is there now (None: it is new)."""

    name: str
    entry: Entry | None
    before: Stored | None

    def change(self, now: datetime) -> Change:
        if self.before is None:
            assert self.entry is not None, "what is not there is not removed"
            return new(self.entry, now)
        if self.entry is None:
            return removed(self.before)
        return rewritten(self.before, self.entry, now)


class Comparison(Struct, frozen=True):
    """What applying would do. `newer`: a later set was applied already, so nothing is done."""

    source: str
    steps: tuple[Step, ...] = ()
    unchanged: int = 0
    kept: tuple[str, ...] = ()
    conflicts: tuple[Held, ...] = ()
    newer: AppliedSet | None = None
    missed: tuple[str, ...] = ()  # names whose only moment was past

    @property
    def added(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps if step.before is None)

    @property
    def changed(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps if step.before and step.entry is not None)

    @property
    def removed(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps if step.entry is None)


def compare(
    catalog: EditableCatalog,
    declared: Declared,
    *,
    prune: bool = True,
    force: bool = False,
    anywhere: bool = False,
) -> Comparison:
    """Reads the owner's rows as a stream and the names that others may hold; writes nothing.

    `force` prunes also what a missing or empty place declared, and applies an older set. Declared
    in another place than before is a change, unless it may be `anywhere`.
    """
    last = catalog.marks.applied(declared.source)
    if (
        last
        and not force
        and last.loaded_at > declared.loaded_at
        and last.digest != declared.digest
    ):
        return Comparison(source=declared.source, newer=last)
    waiting = {entry.name: entry for entry in declared.entries}
    nothing = not waiting
    steps: list[Step] = []
    kept: list[str] = []
    unchanged = 0
    for row in catalog.find(Query(source=declared.source)):
        entry = waiting.pop(row.entry.name, None)
        if entry is not None:
            if anywhere and entry.declared_at != row.entry.declared_at:
                there = replace(entry, declared_at=row.entry.declared_at)
                entry = there if same(there, row.entry) else entry
            if same(entry, row.entry):
                unchanged += 1
            else:
                steps.append(Step(entry.name, entry, row))
        elif declared.within and row.entry.declared_at not in declared.within:
            continue
        elif prune and (force or not (nothing or _in_doubt(row.entry, declared))):
            steps.append(Step(row.entry.name, None, row))
        else:
            kept.append(row.entry.name)
    conflicts = []
    for name, row in rows(catalog, waiting).items():
        conflicts.append(_held(waiting.pop(name), row.entry, declared.places))
    steps += [Step(entry.name, entry, None) for entry in waiting.values()]
    return Comparison(
        source=declared.source,
        steps=tuple(steps),
        unchanged=unchanged,
        kept=tuple(kept),
        conflicts=tuple(conflicts),
    )


def apply(
    catalog: EditableCatalog,
    declared: Declared,
    now: Now,
    *,
    prune: bool = True,
    force: bool = False,
    anywhere: bool = False,
    settled: Callable[[], None] = lambda: None,
    may_go_on: Callable[[], bool] = lambda: True,
) -> Comparison:
    """Done, and what was done; the set is marked as the one its owner applied last, unless it is
    a part of it, or only adds to it, without pruning.

    A row that others changed meanwhile is read and compared again. `settled` is called when no
    entry of the owner is in the store as an older set declared it; new ones may still be written.
    `may_go_on` is asked before each batch. Raises Deposed when it says no.
    """
    begin(catalog, now())
    marks, owner, version = catalog.marks, declared.source, catalog.version()
    verified = VerifiedSet(declared.loaded_at, declared.digest, version, catalog.count())
    if not force and marks.is_verified(owner, verified):
        # Nothing was edited, or lost, since this set was found to be in the store, row by row.
        return Comparison(source=declared.source, unchanged=len(declared.entries))
    done: list[Step] = []
    missed: list[str] = []
    made = _unseen_edits(declared, marks.applied(owner), now())
    applied = AppliedSet(declared.loaded_at, declared.digest)
    whole = prune and not declared.within

    def change(step: Step, moment: datetime) -> Change:
        return step.change(min(moment, made.get(step.name, moment)))

    for _ in range(ROUNDS):
        found = compare(catalog, declared, prune=prune, force=force, anywhere=anywhere)
        put_before = sum(step.entry is not None for step in done)
        if found.steps:
            _refuse_if_over(catalog, declared.source, may_go_on, has_written=bool(done))
            if whole:
                mark_under_way(marks, owner, applied)
        there = [step for step in found.steps if step.before is not None]
        written: list[Step] = []
        for steps in (there, found.steps[len(there) :]):
            for batch in in_batches(steps):
                for step, made_of_it in _write(catalog, batch, now, change):
                    written.append(step)
                    missed += [step.name] if made_of_it.missed else []
                _refuse_if_over(catalog, declared.source, may_go_on, has_written=True)
            if len(written) == len(there):
                settled()
        done += written
        if len(written) == len(found.steps):
            break
    if whole and found.newer is None and _is_news(marks.applied(owner), applied):
        marks.write_applied(owner, applied)
    as_declared = not (found.steps or found.conflicts or found.kept or found.newer)
    if whole and as_declared and catalog.version() == version:
        marks.write_verified(owner, verified)
    return Comparison(
        source=declared.source,
        steps=tuple(done),
        unchanged=found.unchanged - put_before,
        kept=found.kept,
        conflicts=found.conflicts,
        newer=found.newer,
        missed=tuple(missed),
    )


def _unseen_edits(
    declared: Declared, last: AppliedSet | None, now: datetime
) -> Mapping[str, datetime]:
    """The edits that were made since the set before was applied, by name.

    A store without a mark may have lost what ran: there only an edit of the last minute counts.
    """
    if last is not None and last.holds(declared.digest):
        return {}
    oldest = now - UNMARKED_FOR if last is None else last.loaded_at
    return {name: moment for name, moment in declared.made.items() if moment >= oldest}


def mark_under_way(marks: Marks, owner: str, applied: AppliedSet) -> None:
    """Before a set is written: whoever leads after a crash must not take a half for the whole, of
    this set or of the one before."""
    under_way = replace(applied, whole=False)
    if _is_news(marks.applied(owner), under_way):
        marks.write_applied(owner, under_way)


def _refuse_if_over(
    catalog: EditableCatalog, source: str, may_go_on: Callable[[], bool], *, has_written: bool
) -> None:
    """Raises Deposed when another may lead by now. One that froze in a write has perhaps written
    over a newer set: whoever leads hears of it, and compares."""
    if may_go_on():
        return
    if has_written:
        mark_takeovers(catalog, [source])
    raise Deposed(f"{source}: the lead was lost before all of it was applied")


def _write(
    catalog: EditableCatalog,
    steps: list[Step],
    now: Now,
    change_of: Callable[[Step, datetime], Change],
) -> list[tuple[Step, Change]]:
    """Those that were made, each reckoned from the moment it is written: comparing a large set
    takes its time, and where claims came in between their rows are read again, and they alone."""
    done: list[tuple[Step, Change]] = []
    for _ in range(ROUNDS):
        moment = now()
        changes = [change_of(step, moment) for step in steps]
        answers = catalog.write(changes)
        done += [
            (step, change)
            for step, change, made in zip(steps, changes, answers, strict=True)
            if made
        ]
        left = {step.name: step for step, made in zip(steps, answers, strict=True) if not made}
        steps = [
            replace(left[name], before=row)
            for name, row in rows(catalog, left).items()
            if (before := left[name].before) is not None and before.revision == row.revision
        ]
        if not steps:
            break
    return done


def _is_news(last: AppliedSet | None, applied: AppliedSet) -> bool:
    # The same set read again by the next daemon is not worth a write.
    return last is None or (last.digest, last.whole) != (applied.digest, applied.whole)


def _in_doubt(entry: Entry, declared: Declared) -> bool:
    at = entry.declared_at
    return entry.name in declared.unread or any(
        at == place or at.startswith(place.rstrip("/") + "/") or fnmatchcase(at, place)
        for place in declared.doubtful
    )


def _held(entry: Entry, other: Entry, places: Mapping[str, str]) -> Held:
    alike = replace(other, source=entry.source, declared_at=entry.declared_at)
    return Held(
        name=entry.name,
        declared_at=places.get(entry.name) or entry.declared_at or entry.source,
        holder=other.source,
        held_at=other.declared_at,
        same=same(entry, alike),
    )
