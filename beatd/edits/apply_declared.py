"""Make the entries in a store agree with the entries that files or an app declare.

A declared set is all entries that one owner ("yaml:config", "app:config") declares at one moment.
An owner removes only its own entries. `compare` only reads; `apply` also writes.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from msgspec import Struct
from msgspec.structs import replace

from beatd.catalog import Change, EditableCatalog, Query
from beatd.changes import Author
from beatd.definition.arguments import same
from beatd.edits.apply_step import Step
from beatd.edits.declared_set import Declared
from beatd.edits.editing import Now, in_batches, rows
from beatd.edits.held_name import HeldName, held_name
from beatd.edits.ownership import author_for, mark_takeovers
from beatd.edits.replan import mark_if_empty
from beatd.entry import Entry
from beatd.errors import Deposed
from beatd.marks import AppliedSet, Marks, VerifiedSet

ATTEMPTS_MAX = 10  # while other writers change the same rows
STALLED_MAX = 3  # attempts in a row that write nothing: a row is damaged
EDIT_AGE_MAX = timedelta(minutes=1)  # of an edit that counts in a store without a mark


class Comparison(Struct, frozen=True):
    """The differences between declared entries and a store, or the writes that `apply` made.

    - `steps` are the writes, one for each entry.
    - `unchanged` counts the entries that agree already.
    - `kept` are names that are no longer declared but not removed, as `compare` explains.
    - `conflicts` are names that belong to another owner.
    - `newer` is a later set that was applied already; then there are no steps.
    - `missed` are names of entries whose only moment is past.
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
        """Return the names of entries that are new in the store."""
        return tuple(step.name for step in self.steps if step.before is None)

    @property
    def changed(self) -> tuple[str, ...]:
        """Return the names of entries whose definition is replaced."""
        return tuple(step.name for step in self.steps if step.before and step.entry is not None)

    @property
    def removed(self) -> tuple[str, ...]:
        """Return the names of entries that are removed from the store."""
        return tuple(step.name for step in self.steps if step.entry is None)


def compare(
    catalog: EditableCatalog,
    declared: Declared,
    *,
    prune: bool = True,
    force: bool = False,
    anywhere: bool = False,
) -> Comparison:
    """Return the steps that would make the store agree with a declared set of entries.

    Nothing is written. With `prune`, entries that are no longer declared are removed, unless their
    file is missing, empty or unreadable, or the set is empty. `force` removes these too, and
    accepts a set that is older than the applied one. With `anywhere`, an entry that only moved to
    another file counts as unchanged.
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
        entry = left.pop(name)
        if row.entry.source != declared.source:
            conflicts.append(held_name(entry, row.entry, declared.places))
        elif same(entry, row.entry):  # another daemon added it since the read above
            unchanged += 1
        else:
            steps.append(Step(name, entry, row))
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
    author: Author | None = None,
    *,
    prune: bool = True,
    force: bool = False,
    anywhere: bool = False,
    comparing: Callable[[], None] = lambda: None,
    settled: Callable[[], None] = lambda: None,
    may_go_on: Callable[[], bool] = lambda: True,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Comparison:
    """Make the store agree with a declared set of entries, and return the steps that were made.

    `prune`, `force` and `anywhere` are those of `compare`. `author` is who applies the set; None
    stands for its owner. The set is recorded as the last one that its owner applied, unless it is
    limited to some files or `prune` is False. `settled` is called when no entry of the owner has an
    older definition any more; new entries may still be missing. `comparing` is called before each
    comparison. `may_go_on` is called after each batch; Deposed is raised if it returns False.
    `progress` is called after each batch with the number of steps that were made and of all steps.
    If another writer changes a row meanwhile, the row is compared again, at most ten times, or
    three times if nothing can be written; if some are left, the set is not recorded.
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
    who = author or author_for(owner)

    def change(step: Step, moment: datetime) -> Change:
        by = None if step.only_moves else who  # a move to another file has no record
        return step.change(min(moment, made.get(step.name, moment)), by)

    stalled = 0
    for _ in range(ATTEMPTS_MAX):
        comparing()
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
                progress(len(written), len(found.steps))
                _refuse_if_over(catalog, declared.source, may_go_on, has_written=True)
            if len(written) == len(existing):
                settled()
        done += written
        stalled = 0 if written else stalled + 1
        if len(written) == len(found.steps) or stalled == STALLED_MAX:
            break
    # A set that is limited to some files, or applied without `prune`, is not recorded, nor is one
    # of which other writers have kept a part from being written.
    is_written = len(written) == len(found.steps) and found.newer is None
    if whole and is_written and _is_news(marks.applied(owner), applied):
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
    if last is not None and last.holds(declared.digest):
        return {}
    # Without a last set the store may have lost its records: only edits of the last minute count.
    oldest = now - EDIT_AGE_MAX if last is None else last.loaded_at
    return {name: moment for name, moment in declared.made.items() if moment >= oldest}


def mark_under_way(marks: Marks, owner: str, applied: AppliedSet) -> None:
    """Record in the store that the entries of an owner are being written.

    Call this before the first write. After a crash, the next leader then knows that the store has
    only a part of them.
    """
    under_way = replace(applied, whole=False)
    if _is_news(marks.applied(owner), under_way):
        marks.write_applied(owner, under_way)


def _refuse_if_over(
    catalog: EditableCatalog, source: str, may_go_on: Callable[[], bool], *, has_written: bool
) -> None:
    # Another daemon may lead now. If `has_written`, this daemon may have overwritten a newer set of
    # the owner `source`; then the leader is made to compare that set with the store again.
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
    done: list[tuple[Step, Change]] = []
    for _ in range(ATTEMPTS_MAX):
        moment = now()  # not the time of the comparison, which takes long for a large set
        changes = [change_of(step, moment) for step in steps]
        answers = catalog.write(changes)
        done += [
            (step, change)
            for step, change, made in zip(steps, changes, answers, strict=True)
            if made
        ]
        # A step is tried again if its entry only got its next run, and dropped if it was edited.
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
    # The entry was not read, but may still be declared in a place that cannot be read.
    at = entry.declared_at
    return entry.name in declared.unread or any(
        at == place or at.startswith(place.rstrip("/") + "/") or fnmatchcase(at, place)
        for place in declared.doubtful
    )
