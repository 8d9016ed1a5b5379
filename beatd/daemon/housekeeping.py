"""Do the housekeeping of a store.

It applies declarations, repairs losses, counts entries, deletes old history and plans again under
new rules.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Protocol

from msgspec import Struct

from beatd.catalog import Catalog, EditableCatalog, RepairableCatalog
from beatd.clock import Clock
from beatd.edits.repair import repair_entries
from beatd.edits.replan import needs_replan, replan
from beatd.errors import Deposed, StoreError
from beatd.ledger import History
from beatd.presence import Presences
from beatd.store import Roles
from beatd.unapplied import NOTHING_WAITS, Unapplied

REPAIR_EVERY_S = 60.0
FULL_REPAIR_EVERY_S = 3600.0  # a database reads every entry then
LOSSES_SHOWN_MAX = 5  # lines in `status`
FORGET_HISTORY_EVERY_S = 60.0
COUNT_ENTRIES_EVERY_S = 60.0
TURN_EVERY_S = 1.0
TURN_WHILE_ENTRIES_WAIT_EVERY_S = 0.2

log = logging.getLogger("beatd")


class Declares(Protocol):
    """Writes the entries that this daemon's sources (files, an app) declare to the store."""

    def __call__(
        self,
        catalog: EditableCatalog,
        term: int,
        released: Callable[[], None],
        lasts: Callable[[], bool],
    ) -> bool:
        """Read the sources, write those that changed to `catalog`, and return True if it was
        changed.

        `term` is the number of the term that this daemon leads; 0 on a standby, which only reads.
        `released` is called each time that fewer entries have to wait (see `unapplied`). `lasts`
        returns False when the term is over; then this raises Deposed.
        """

    def unapplied(self, term: int) -> Unapplied:
        """Return the entries that the leader of the term number `term` must not run yet.

        Any thread may call it.
        """

    def compare_again(self, catalog: EditableCatalog, *, whole: bool) -> None:
        """Make the next call compare declarations with the store, which may have lost entries.

        If `whole` is True, all declarations are compared; if False, only those of each owner
        (source) that has no entry left in the store.
        """

    def conflicts(self) -> list[str]:
        """Return one line of text for each declaration that could not be read or applied."""

    def digest(self) -> str:
        """Return a digest of the declarations, equal in all daemons with the same declarations."""


class HistoryLimits(Struct, frozen=True):
    """The limits of the history: how old a record may be, and how many records are kept."""

    age: timedelta = timedelta(days=7)
    records: int = 1_000_000


class Housekeeping:
    """Does the slow, regular jobs of a daemon, on a thread of its own.

    `term` returns the number of the term that this daemon leads, 0 on a standby; long jobs call it
    again to learn whether they may go on. `rest` is called between the batches of a long job,
    `wake` each time that fewer entries have to wait for their source, or that declared entries
    changed the store. `counted` is called once with the number of entries, as soon as a leader is
    known.
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
        wake: Callable[[], None] = lambda: None,
        counted: Callable[[int], None] = lambda entries: None,
    ) -> None:
        self._counted: Callable[[int], None] | None = counted
        self._name, self._declaring, self._history = name, declaring, history
        self._clock, self._term, self._rest, self._wake = clock, term, rest, wake
        self._forgot_history_at = self._counted_at = float("-inf")
        self._counted_version: str | None = None
        self._difference = ""
        self._losses: list[str] = []
        self._repaired_at = self._repaired_all_at = float("-inf")
        self._repaired_in_term = 0
        self.entries = 0

    @property
    def conflicts(self) -> list[str]:
        """One line of text for each problem.

        A problem is a failed declaration, a leader that declares other entries than this daemon, or
        a loss in the store.
        """
        declared = list(self._declaring.conflicts()) if self._declaring is not None else []
        return [*declared, *([self._difference] if self._difference else []), *self._losses]

    @property
    def declares(self) -> str:
        """A digest of the entries that this daemon's sources declare, or "" if it has no
        sources."""
        return self._declaring.digest() if self._declaring is not None else ""

    def unapplied(self, term: int) -> Unapplied:
        """Return the entries that the leader of the term number `term` must not run yet."""
        return self._declaring.unapplied(term) if self._declaring is not None else NOTHING_WAITS

    def turn(self, store: Roles) -> float:
        """Do every job that is due, and return the seconds until the next turn."""
        with suppress(StoreError, Deposed):
            if self.run_once(
                catalog=store.catalog,
                repair=store.repair,
                history=store.history,
                presences=store.presences,
            ):
                self._wake()
        term = self._term()
        waits = bool(term) and bool(self.unapplied(term).owners)
        return TURN_WHILE_ENTRIES_WAIT_EVERY_S if waits else TURN_EVERY_S

    def run_once(
        self,
        *,
        catalog: EditableCatalog,
        repair: RepairableCatalog,
        history: History,
        presences: Presences,
    ) -> bool:
        """Do every job that is due; return True if declared entries changed the store.

        Raise StoreError if the store fails; the next call does the remaining jobs.
        """
        term, changed = self._term(), False
        try:
            if self._declaring is not None:
                lasts = partial(self._leads, term)
                changed = self._declaring(catalog, term, self._wake, lasts)
            self._compare_with_leader(presences, bool(term))
        finally:
            if term:
                self._repair(catalog, repair, term)
                self._count(catalog)
            self._count_first(catalog, presences, term)
            if term:
                self._replan_and_forget(catalog, history)
        return changed

    def _count_first(self, catalog: Catalog, presences: Presences, term: int) -> None:
        """Call `counted` with the number of entries, unless that was done or nobody leads yet."""
        if self._counted is None:
            return
        if term or any(one.role == "leader" for one in presences.daemons()):
            counted, self._counted = self._counted, None
            counted(self.entries if term else catalog.count())

    def _repair(self, catalog: EditableCatalog, repair: RepairableCatalog, term: int) -> None:
        """Repair entries that lost a part, if it is time, and keep the losses for `conflicts`."""
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
        """Log each line, and keep the last `LOSSES_SHOWN_MAX` lines for `conflicts`."""
        for line in lines:
            log.warning("%s", line)
        self._losses = [*self._losses, *lines][-LOSSES_SHOWN_MAX:]

    def _leads(self, term: int) -> bool:
        """True if this daemon still leads under the term number `term`."""
        return self._term() == term

    def _count(self, catalog: Catalog) -> None:
        """Count the entries once a minute, if any entry has changed since.

        To count, a database reads every entry.
        """
        if self._clock.elapsed() - self._counted_at > COUNT_ENTRIES_EVERY_S:
            self._counted_at = self._clock.elapsed()
            version = catalog.version()
            if version != self._counted_version:
                self.entries, self._counted_version = catalog.count(), version

    def _replan_and_forget(self, catalog: EditableCatalog, history: History) -> None:
        """Plan again, once a minute, the entries with outdated plans, and delete old history.

        A plan is outdated if it was computed by older planning rules.
        """
        if self._clock.elapsed() - self._forgot_history_at > FORGET_HISTORY_EVERY_S:
            self._forgot_history_at = self._clock.elapsed()
            try:
                if needs_replan(catalog):
                    replan(catalog, self._clock.now, lambda: bool(self._term()), self._rest)
            finally:  # also after a failure: the history must not fill the disk
                history.forget(self._clock.now() - self._history.age, self._history.records)

    def _compare_with_leader(self, presences: Presences, leading: bool) -> None:
        """On a standby, note a problem if the leader declares other entries than this daemon.

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
