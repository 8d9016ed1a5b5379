"""Make a store agree with declared entries: add, update, and remove those no longer declared.

An owner is a kind of source and a name ("yaml:config", "app:config"), and removes only entries of
its own. `compare` reads and decides, `apply` also writes. An unchanged entry is not written.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from beatd.catalog import Change, EditableCatalog, Query, Stored
from beatd.definition.arguments import same
from beatd.edits.declared import Declared
from beatd.edits.editing import Now, in_batches, rows
from beatd.edits.entry_change import added, removed, rewritten
from beatd.edits.held_name import HeldName, held_name
from beatd.edits.ownership import mark_takeovers
from beatd.edits.replan import mark_if_empty
from beatd.entry import Entry
from beatd.errors import Deposed
from beatd.marks import AppliedSet, Marks, VerifiedSet

ATTEMPTS_MAX = 10  # while other writers change the same rows
EDIT_AGE_MAX = timedelta(minutes=1)  # of an edit that counts in a store without a mark


class Step(Struct, frozen=True):
    """An entry to write (None: to remove), and its row in the store (None: it is new)."""

    name: str
    entry: Entry | None
    before: Stored | None

    def change(self, now: datetime) -> Change:
        """Return the change of this step, planned from `now`."""
        if self.before is None:
            assert self.entry is not None, "what is not there is not removed"
            return added(self.entry, now)
        if self.entry is None:
            return removed(self.before)
        return rewritten(self.before, self.entry, now)


class Comparison(Struct, frozen=True):
    """The steps that make the store agree with a set, or that made it agree.

    `newer` is a set that was read later and applied already: then there are no steps. `kept` are
    names that are not declared any more and stay, because their place is in doubt.
    """

    source: str
    steps: tuple[Step, ...] = ()
    unchanged: int = 0
    kept: tuple[str, ...] = ()
    conflicts: tuple[HeldName, ...] = ()
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
    """Return the steps that would make the store agree with the set; nothing is written.

    The owner's rows are read as a stream. `force` prunes also entries of missing or empty places,
    and applies an older set. An entry that moved to another file is a change, unless `anywhere`.
    """
    last = catalog.marks.applied(declared.source)
    if (
        last
        and not force
        and last.loaded_at > declared.loaded_at
        and last.digest != declared.digest
    ):
        return Comparison(source=declared.source, newer=last)
    left = {entry.name: entry for entry in declared.entries}
    declares_nothing = not left
    steps: list[Step] = []
    kept: list[str] = []
    unchanged = 0
    for row in catalog.find(Query(source=declared.source)):
        entry = left.pop(row.entry.name, None)
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
        elif prune and (force or not (declares_nothing or _in_doubt(row.entry, declared))):
            steps.append(Step(row.entry.name, None, row))
        else:
            kept.append(row.entry.name)
    conflicts = []
    for name, row in rows(catalog, left).items():
        conflicts.append(held_name(left.pop(name), row.entry, declared.places))
    steps += [Step(entry.name, entry, None) for entry in left.values()]
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
    """Make the store agree with the set, and return the steps that were made.

    The set is marked as the last one of its owner, unless it is limited to some files or does not
    prune. A row that others change meanwhile is read and compared again. `settled` is called when
    no entry of the owner is left as an older set declared it; new ones may still be missing. Raises
    Deposed when `may_go_on`, called before each batch, returns False.
    """
    mark_if_empty(catalog, now())
    marks, owner, version = catalog.marks, declared.source, catalog.version()
    verified = VerifiedSet(declared.loaded_at, declared.digest, version, catalog.count())
    if not force and marks.is_verified(owner, verified):
        # Nothing was edited or lost since a comparison found every row of this set in the store.
        return Comparison(source=declared.source, unchanged=len(declared.entries))
    done: list[Step] = []
    missed: list[str] = []
    made = _unseen_edits(declared, marks.applied(owner), now())
    applied = AppliedSet(declared.loaded_at, declared.digest)
    whole = prune and not declared.within

    def change(step: Step, moment: datetime) -> Change:
        return step.change(min(moment, made.get(step.name, moment)))

    for _ in range(ATTEMPTS_MAX):
        found = compare(catalog, declared, prune=prune, force=force, anywhere=anywhere)
        put_before = sum(step.entry is not None for step in done)
        if found.steps:
            _refuse_if_over(catalog, declared.source, may_go_on, has_written=bool(done))
            if whole:
                mark_under_way(marks, owner, applied)
        existing = [step for step in found.steps if step.before is not None]
        written: list[Step] = []
        for steps in (existing, found.steps[len(existing) :]):
            for batch in in_batches(steps):
                for step, written_change in _write(catalog, batch, now, change):
                    written.append(step)
                    missed += [step.name] if written_change.missed else []
                _refuse_if_over(catalog, declared.source, may_go_on, has_written=True)
            if len(written) == len(existing):
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
    """Return the moments of the edits since the owner's last set was applied, by name.

    A store without a mark may have lost its history: there only an edit of the last minute counts.
    """
    if last is not None and last.holds(declared.digest):
        return {}
    oldest = now - EDIT_AGE_MAX if last is None else last.loaded_at
    return {name: moment for name, moment in declared.made.items() if moment >= oldest}


def mark_under_way(marks: Marks, owner: str, applied: AppliedSet) -> None:
    """Mark a set as begun, before it is written.

    After a crash the next leader sees that neither this set nor the one before is whole.
    """
    under_way = replace(applied, whole=False)
    if _is_news(marks.applied(owner), under_way):
        marks.write_applied(owner, under_way)


def _refuse_if_over(
    catalog: EditableCatalog, source: str, may_go_on: Callable[[], bool], *, has_written: bool
) -> None:
    """Raise Deposed if another daemon may lead by now.

    A daemon that froze during a write may have written over a newer set; a mark makes the leader
    compare its set again.
    """
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
    """Write the steps, and return those that were written with their changes.

    Each batch is planned from the moment it is written, because comparing a large set takes long.
    A row that was claimed meanwhile is read again; one that was edited is left out.
    """
    done: list[tuple[Step, Change]] = []
    for _ in range(ATTEMPTS_MAX):
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
    # The next daemon reads the same set again, which needs no write.
    return last is None or (last.digest, last.whole) != (applied.digest, applied.whole)


def _in_doubt(entry: Entry, declared: Declared) -> bool:
    """True if the entry may still be declared, in a place that cannot be read now."""
    at = entry.declared_at
    return entry.name in declared.unread or any(
        at == place or at.startswith(place.rstrip("/") + "/") or fnmatchcase(at, place)
        for place in declared.doubtful
    )
