"""Copy the rows of django-celery-beat to the store, again and again.

An edit through Django's models takes effect within a second, any other edit within a minute.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from msgspec.structs import replace

from beatd import __version__
from beatd.catalog import EditableCatalog, Query, Stored
from beatd.clock import Clock
from beatd.edits import editing
from beatd.edits.apply_declared import apply, mark_under_way
from beatd.edits.declared_set import Declared
from beatd.entry import Entry
from beatd.errors import Deposed, StoreError
from beatd.imports.found_entry import refused
from beatd.marks import AppliedSet
from beatd.run import EPOCH
from beatd.sources.declarations import Declarations
from beatd.sources.django_entry import changed_at_of, entry_of, has_ended, limited, warning_of
from beatd.sources.django_rows import DjangoRows, Listing
from beatd.sources.row_conflicts import RowConflicts
from beatd.sources.row_writer import RowWriter, log_applied
from beatd.stores.django import SOURCE
from beatd.unapplied import NOTHING_WAITS, Unapplied

log = logging.getLogger("beatd")

LOOK_EVERY_S = 0.5
DIGEST_EVERY_S = 30.0
UPDATE_ROWS_EVERY_S = 10.0
HAS_CONFLICTS = "!"  # ends the digest of rows of which some are not entries or have a warning


class RowState(Protocol):
    """The part of a Django store that counts runs in django-celery-beat's rows and disables
    rows."""

    def tell_again(self) -> None:
        """Try again to count runs in rows that could not be updated before."""

    def disable_what_ended(self, now: datetime) -> int:
        """Disable one-off rows that ran and rows that expired before `now`; return their number."""


class DjangoMirror:
    """Copies the entries of django-celery-beat's tables to beatd's store whenever they change.

    It also applies the entries of files and apps, and has the methods of `Declarations`.
    `row_state` writes to Django's rows; it is None until the store is open, and with `--shadow`.
    """

    row_state: RowState | None = None

    def __init__(
        self, rows: DjangoRows, others: Declarations, *, timezone: str, name: str, clock: Clock
    ) -> None:
        self._rows, self._others, self._clock = rows, others, clock
        self._timezone, self._source = timezone, f"{SOURCE}{name}"
        self._known: Listing | None = None
        self._row_conflicts = RowConflicts(self._source, clock)
        self._writer = RowWriter(self._source, self._row_conflicts)
        self._trouble = ""
        self._same_at = EPOCH  # the last look that found the rows as they are known
        self._looked_at = self._digested_at = self._updated_rows_at = float("-inf")
        self._trusts_mark = True  # False once the store may have lost rows that were applied
        self._nth_lead = self._applied = (
            0  # the nth_lead, and the one in which all rows were applied
        )
        self._released: Callable[[], None] = lambda: None
        self._lasts: Callable[[], bool] = lambda: True

    def __call__(
        self,
        catalog: EditableCatalog,
        nth_lead: int,
        released: Callable[[], None] = lambda: None,
        lasts: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Copy changed rows and other sources to the store; return True if the store changed.

        Only the daemon that leads writes: `nth_lead` counts its leads (`Lead.nth`), and is 0 in
        other daemons. `released` is called when entries that waited may run. Raises Deposed when
        `lasts` returns False.
        """
        changed, self._released, self._lasts = False, released, lasts
        if nth_lead != self._nth_lead or not nth_lead:
            # The leader before may have read other rows.
            self._nth_lead, self._looked_at = nth_lead, float("-inf")
            self._known = None
            self._row_conflicts.clear()
        if nth_lead and self._clock.elapsed() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = self._clock.elapsed()
            changed = self._apply_rows(catalog)
        return self._others(catalog, nth_lead, released, lasts) or changed

    def unapplied(self, nth_lead: int) -> Unapplied:
        """Return the entries that must not run yet, because they are invalid or not in the store.

        `nth_lead` counts the leads of this daemon (`Lead.nth`). Any thread may call this method.
        """
        mine = NOTHING_WAITS if self._applied == nth_lead else Unapplied(frozenset({self._source}))
        others = self._others.unapplied(nth_lead)
        return mine | others

    def compare_again(self, catalog: EditableCatalog, *, whole: bool) -> None:
        """Make the next call compare all rows with the store, because the store may have lost
        entries.

        If `whole` is False, they are compared only if none of their entries is left in the store.
        """
        mine = Query(source=self._source, limit=1)
        known = self._known is not None and self._known.rows
        if whole or (known and next(iter(catalog.find(mine)), None) is None):
            self._known, self._trusts_mark, self._looked_at = None, False, float("-inf")
        self._others.compare_again(catalog, whole=whole)

    def _release(self) -> None:
        # Once for each daemon that begins to lead.
        if self._applied != self._nth_lead:
            self._applied = self._nth_lead
            self._released()

    def _apply_rows(self, catalog: EditableCatalog) -> bool:
        try:
            changed = self._look(catalog)
            self._row_conflicts.write(catalog.marks)
        except StoreError as trouble:
            if str(trouble) != self._trouble:
                log.error("%s", trouble)
            self._trouble = str(trouble)
            return False
        except Deposed:
            raise
        except Exception:
            self._release()  # a bug of beatd must not keep all entries waiting
            raise
        self._trouble = ""
        return changed

    def conflicts(self) -> list[str]:
        """Return a line of text for each row, file or app entry that could not be read or
        applied."""
        trouble = [self._trouble] if self._trouble else []
        if self._nth_lead and self._applied != self._nth_lead:
            trouble.append(f"{self._source}: its entries wait until its rows are applied")
        return trouble + self._row_conflicts.lines() + self._others.conflicts()

    def digest(self) -> str:
        """Return a hash of the entries in files and apps; daemons with the same entries have the
        same hash.

        Django's rows are left out, because all daemons read the same rows.
        """
        return self._others.digest()

    def needs_reload(self) -> tuple[str, ...]:
        """Return the names of changed settings that this daemon uses only after a reload."""
        return self._others.needs_reload()

    def _look(self, catalog: EditableCatalog) -> bool:
        present = partial(editing.present, catalog, self._clock)
        elapsed = self._clock.elapsed()
        marker = self._rows.marker()
        due = elapsed - self._updated_rows_at >= UPDATE_ROWS_EVERY_S
        if self.row_state is not None and due:
            self._updated_rows_at = elapsed
            self.row_state.tell_again()
            self.row_state.disable_what_ended(present())
        if self._known is None:
            return self._apply_all(catalog, present)
        # The marker shows edits through Django's models; the digest shows all other edits.
        if marker == self._known.marker:
            if elapsed - self._digested_at < DIGEST_EVERY_S:
                return False
            self._digested_at = elapsed
            looked_at = present()
            if self._rows.digest() == self._known.digest:
                self._same_at = looked_at
                return False
        return self._apply_changed(catalog, self._known, present)

    def _apply_all(self, catalog: EditableCatalog, now: editing.Now) -> bool:
        loaded_at = now()
        listing = self._rows.listing()
        last, digest = catalog.marks.applied(self._source), self._digest(listing)
        if last is not None and last.whole and last.digest.removesuffix(HAS_CONFLICTS) == digest:
            self._release()
        if last is not None and last.holds(digest) and self._trusts_mark:
            # The leader before read the same rows, and all of them became entries.
            self._known, self._digested_at = listing, self._clock.elapsed()
            self._same_at = loaded_at
            return False
        rows = list(self._rows.rows(listing.rows))
        once = editing.rows(catalog, [str(row["name"]) for row in rows if row["one_off"]])
        entries, made = list[Entry](), dict[str, datetime]()
        for row in rows:
            entry = self._entry(row, once)
            if entry is None:
                continue
            entries.append(entry)
            changed_at = changed_at_of(row)
            if last is None:
                # At the first look the other scheduler wrote the date, and no missed run counts.
                changed_at = changed_at if row["clocked_time"] else None
            elif changed_at is None or changed_at < last.loaded_at:
                changed_at = last.loaded_at if row["clocked_time"] else None
            if changed_at is not None:
                made[entry.name] = changed_at
        declared = Declared(
            source=self._source,
            entries=tuple(entries),
            loaded_at=loaded_at,
            digest=self._digest(listing),
            made=made,
        )
        # The table could be read, so that an empty one is intended.
        done = apply(
            catalog, declared, now, force=True, settled=self._release, may_go_on=self._lasts
        )
        self._trusts_mark = True
        self._release()
        self._row_conflicts.replace_held(
            {held.name: str(held) for held in done.conflicts if not held.same}
        )
        ended = sum(has_ended(step.entry, step.before) for step in done.steps)
        changed = len(done.changed) - ended
        log_applied(self._source, len(done.added), changed, len(done.removed), done.missed)
        self._known, self._digested_at = listing, self._clock.elapsed()
        self._same_at = loaded_at
        return bool(done.steps)

    def _apply_changed(self, catalog: EditableCatalog, known: Listing, now: editing.Now) -> bool:
        loaded_at = now()
        listing = self._rows.listing()
        other = [id for id, seen in listing.rows.items() if known.rows.get(id) != seen]
        names = {seen.name for seen in listing.rows.values()}
        gone = {
            seen.name
            for id, seen in known.rows.items()
            if listing.rows.get(id) != seen and seen.name not in names
        }
        rows = list(self._rows.rows(other))
        once = editing.rows(catalog, [str(row["name"]) for row in rows if row["one_off"]])
        wanted: dict[str, Entry | None] = dict.fromkeys(gone)
        made: dict[str, datetime] = {}
        for row in rows:
            name, before = str(row["name"]), known.rows.get(int(row["id"]))
            wanted[name] = self._entry(row, once)
            changed_at = changed_at_of(row)
            dated = before is None or before.changed != listing.rows[int(row["id"])].changed
            if dated and changed_at is not None:
                made[name] = changed_at
        self._row_conflicts.forget(gone)
        marks, applied = catalog.marks, AppliedSet(loaded_at, self._digest(listing))
        mark_under_way(marks, self._source, applied)
        changed = self._writer.write(catalog, wanted, made, self._same_at, now)
        marks.write_applied(self._source, replace(applied, digest=self._digest(listing)))
        self._known, self._same_at = listing, loaded_at
        return changed

    def _digest(self, listing: Listing) -> str:
        # With conflicts the hash differs, so that each new leader reads the rows and logs them.
        # Another version of beatd may read rows differently.
        mark = HAS_CONFLICTS if self._row_conflicts else ""
        return f"{__version__}/{self._timezone}/{listing.digest}{mark}"

    def _entry(self, row: Mapping[str, Any], once: Mapping[str, Stored]) -> Entry | None:
        name = str(row["name"])
        try:
            entry = entry_of(row, timezone=self._timezone, source=self._source)
        except Exception as error:
            # An exception of any kind must not stop the other rows.
            self._row_conflicts.add_invalid(name, refused(name, error).reason)
            return None
        if warning := warning_of(row, entry):
            self._row_conflicts.add_warning(name, warning)
        else:
            self._row_conflicts.set_valid(name)
        return limited(entry, row, once.get(name)) if row["one_off"] else entry
