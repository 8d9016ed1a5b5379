"""Housekeeping of a store: apply declarations, repair losses, count entries, forget old history and
re-plan under new rules."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol

from msgspec import Struct

from beatd.catalog import Catalog, EditableCatalog, RepairableCatalog
from beatd.clock import Clock
from beatd.edits.repair import repair_entries
from beatd.edits.replan import needs_replan, replan
from beatd.ledger import History
from beatd.presence import Presences
from beatd.unapplied import NOTHING_WAITS, Unapplied

REPAIR_EVERY_S = 60.0
FULL_REPAIR_EVERY_S = 3600.0  # a database reads every entry then
LOSSES_SHOWN_MAX = 5  # lines in `status`
FORGET_HISTORY_EVERY_S = 60.0
COUNT_ENTRIES_EVERY_S = 60.0

log = logging.getLogger("beatd")


class Declares(Protocol):
    """Applies the entries that this daemon declares to the store."""

    def __call__(
        self,
        catalog: EditableCatalog,
        term: int,
        released: Callable[[], None],
        lasts: Callable[[], bool],
    ) -> bool:
        """Read the sources and apply those that changed; True if the store was changed.

        `term` is the term that this daemon leads; 0 on a standby, which only reads. `released` is
        called each time that fewer entries wait. `lasts` returns False when the term is over; then
        this raises Deposed.
        """

    def unapplied(self, term: int) -> Unapplied:
        """Return the entries that the leader of that term must not run yet; for every thread."""

    def compare_again(self, catalog: EditableCatalog, *, whole: bool) -> None:
        """Make the next call compare the declarations with the store, which may have lost entries.

        All of them are compared if `whole`, else those of each owner that has no entry in the
        store.
        """

    def conflicts(self) -> list[str]:
        """Return a line for each declaration that could not be read or applied."""

    def digest(self) -> str:
        """Return a digest of the declarations, equal on daemons that declare the same."""


class HistoryLimits(Struct, frozen=True):
    """How much history a store keeps."""

    age: timedelta = timedelta(days=7)
    records: int = 1_000_000


class Housekeeping:
    """Runs on a thread of its own, because each of its jobs may take long.

    `term` returns the number of the term that this daemon leads, 0 on a standby; long jobs call it
    again to learn whether they may go on. `rest` is called between the batches of a long job.
    """

    def __init__(
        self,
        *,
        name: str,
        declaring: Declares | None,
        history: HistoryLimits,
        clock: Clock,
        term: Callable[[], int],
        rest: Callable[[], None],
        released: Callable[[], None] = lambda: None,
    ) -> None:
        self._name, self._declaring, self._history = name, declaring, history
        self._clock, self._term, self._rest, self._released = clock, term, rest, released
        self._forgot_history_at = self._counted_at = float("-inf")
        self._counted_version: str | None = None
        self._difference = ""
        self._losses: list[str] = []
        self._repaired_at = self._repaired_all_at = float("-inf")
        self._repaired_in_term = 0
        self.entries = 0

    @property
    def conflicts(self) -> list[str]:
        """A line for each problem: declarations, a leader that declares otherwise, and losses."""
        declared = list(self._declaring.conflicts()) if self._declaring is not None else []
        return [*declared, *([self._difference] if self._difference else []), *self._losses]

    @property
    def declares(self) -> str:
        """The digest of the declarations of this daemon."""
        return self._declaring.digest() if self._declaring is not None else ""

    def unapplied(self, term: int) -> Unapplied:
        """Return the entries that the leader of that term must not run yet."""
        return self._declaring.unapplied(term) if self._declaring is not None else NOTHING_WAITS

    def run_once(
        self,
        *,
        catalog: EditableCatalog,
        repair: RepairableCatalog,
        history: History,
        presences: Presences,
    ) -> bool:
        """Do every job that is due; True if declared entries changed the store.

        Raises StoreError; the next call does the jobs that were left.
        """
        term, changed = self._term(), False
        try:
            if self._declaring is not None:
                lasts = partial(self._leads, term)
                changed = self._declaring(catalog, term, self._released, lasts)
            self._compare_with_leader(presences, bool(term))
        finally:
            if term:
                self._repair(catalog, repair, term)
                self._count(catalog)
                self._replan_and_forget(catalog, history)
        return changed

    def _repair(self, catalog: EditableCatalog, repair: RepairableCatalog, term: int) -> None:
        """Repair entries that lost a part; the losses are shown as long as this daemon leads."""
        now = self._clock.elapsed()
        if term != self._repaired_in_term:
            self._repaired_in_term, self._losses = term, []
            self._repaired_at = self._repaired_all_at = float("-inf")
            self._report_losses(repair.losses())
        if now - self._repaired_at < REPAIR_EVERY_S:
            return
        whole = now - self._repaired_all_at >= FULL_REPAIR_EVERY_S
        self._repaired_at = now
        losses = repair_entries(repair, self._clock.now, whole=whole)
        if whole:
            self._repaired_all_at = now
        self._report_losses(losses)
        if self._declaring is not None:
            self._declaring.compare_again(catalog, whole=bool(losses))

    def _report_losses(self, lines: Sequence[str]) -> None:
        for line in lines:
            log.warning("%s", line)
        self._losses = [*self._losses, *lines][-LOSSES_SHOWN_MAX:]

    def _leads(self, term: int) -> bool:
        return self._term() == term

    def _count(self, catalog: Catalog) -> None:
        """Count the entries if their version changed, because a database reads each to count."""
        if self._clock.elapsed() - self._counted_at > COUNT_ENTRIES_EVERY_S:
            self._counted_at = self._clock.elapsed()
            version = catalog.version()
            if version != self._counted_version:
                self.entries, self._counted_version = catalog.count(), version

    def _replan_and_forget(self, catalog: EditableCatalog, history: History) -> None:
        """Re-plan entries that older rules planned, and delete history beyond the limits."""
        if self._clock.elapsed() - self._forgot_history_at > FORGET_HISTORY_EVERY_S:
            self._forgot_history_at = self._clock.elapsed()
            try:
                if needs_replan(catalog):
                    replan(catalog, self._clock.now, lambda: bool(self._term()), self._rest)
            finally:  # also after a failure: the history must not fill the disk
                history.forget(self._clock.now() - self._history.age, self._history.records)

    def _compare_with_leader(self, presences: Presences, leading: bool) -> None:
        """Note on a standby that the leader declares other entries.

        Such a standby would change the entries when it leads.
        """
        if leading or self._declaring is None:
            self._difference = ""
            return
        leaders = [one for one in presences.daemons() if one.role == "leader"]
        differing = [one.holder.name for one in leaders if one.declares not in ("", self.declares)]
        self._difference = (
            f"what {self._name} declares differs from what the leader {differing[0]} does"
            if differing
            else ""
        )
