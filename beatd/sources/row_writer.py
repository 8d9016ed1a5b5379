"""Write changed rows of django-celery-beat to the store as entries."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from beatd.catalog import Change, EditableCatalog, Stored
from beatd.definition.arguments import same
from beatd.edits import editing, entry_change
from beatd.edits.held_name import held_name
from beatd.edits.late_edits import counts_from, past_one_offs, with_unseen_moments
from beatd.edits.ownership import author_for
from beatd.entry import Entry
from beatd.sources.django_entry import has_ended
from beatd.sources.row_conflicts import RowConflicts

log = logging.getLogger("beatd")

ATTEMPTS_MAX = 10  # while other writers change the same entries


class RowWriter:
    """Writes the entries of one owner to the store, and leaves alone those that another owner
    has."""

    def __init__(self, owner: str, conflicts: RowConflicts) -> None:
        self._owner, self._conflicts = owner, conflicts
        self._author = author_for(owner)

    def write(
        self,
        catalog: EditableCatalog,
        wanted: Mapping[str, Entry | None],
        made: Mapping[str, datetime],
        unseen_since: datetime,
        now: editing.Now,
    ) -> bool:
        """Add, change or remove entries in the store; return True if the store changed.

        `wanted` maps names to entries; None removes one. `made` has the times of edits, as far as
        they are known, and `unseen_since` is when the last check found no edit. A write that
        collides with another writer is retried, at most ten times.
        """
        left: Iterable[str] = wanted
        counts = {"added": 0, "changed": 0, "removed": 0, "ended": 0}
        missed: list[str] = []
        for _ in range(ATTEMPTS_MAX):
            there, moment = editing.rows(catalog, left), now()
            changes: list[tuple[str, Change]] = []
            for name in left:
                verb, change = self._change(
                    wanted[name], there.get(name), moment, made.get(name), unseen_since
                )
                if change is not None:
                    changes.append((verb, change))
            left = []
            for batch in editing.in_batches(changes):
                answers = catalog.write([change for _, change in batch])
                for (verb, change), done in zip(batch, answers, strict=True):
                    counts[verb] += done
                    missed += [change.name] if done and change.missed else []
                    if not done:
                        left.append(change.name)
            if not left:
                break
        log_applied(self._owner, counts["added"], counts["changed"], counts["removed"], missed)
        return any(counts.values())

    def _change(
        self,
        entry: Entry | None,
        row: Stored | None,
        now: datetime,
        made: datetime | None,
        unseen_since: datetime,
    ) -> tuple[str, Change | None]:
        if row is not None and row.entry.source != self._owner:
            if entry is not None:
                held = held_name(entry, row.entry, {})
                self._conflicts.add_held(entry.name, f"{self._owner}: {held}")
            # Nothing to count and to write: the name belongs to another owner.
            return "", None
        if entry is None:
            return "removed", None if row is None else entry_change.removed(row, self._author)
        self._conflicts.set_free(entry.name)
        since = counts_from(entry, now, made=made, unseen_since=unseen_since)
        if row is None:
            return "added", entry_change.added(entry, since, self._author)
        if same(entry, row.entry):
            return "changed", None
        change = entry_change.rewritten(row, entry, since, self._author)
        verb = "ended" if has_ended(entry, row) else "changed"
        return verb, change if made else with_unseen_moments(change, row, unseen_since, now)


def log_applied(owner: str, added: int, changed: int, removed: int, missed: Sequence[str]) -> None:
    """Log how many entries of an owner were added, changed and removed.

    `missed` are names of entries that will never run, because their only time has passed.
    """
    if added or changed or removed:
        log.info("%s: %d added, %d changed, %d removed", owner, added, changed, removed)
    if missed:
        log.warning("%s: %s", owner, past_one_offs(missed))
