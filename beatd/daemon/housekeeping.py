"""Regular maintenance of a store: write declared entries, repair entries, delete old history.

It also resumes entries whose pause ends, reports other pauses, counts entries, and plans them again
after a change of the planning rules.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Protocol

from msgspec import Struct

from beatd.catalog import Catalog, EditableCatalog, RepairableCatalog
from beatd.changes import RECORDS_MAX, Changes
from beatd.clock import Clock
from beatd.daemon.pause_news import PauseNews
from beatd.daemon.planning_rules import PlanningRules
from beatd.edits.pausing import end_pauses
from beatd.edits.repair import repair_entries
from beatd.errors import Deposed, StoreError
from beatd.events import Observer, nobody
from beatd.history import History
from beatd.ledger import Requests
from beatd.presence import Presences
from beatd.store import Roles
from beatd.unapplied import NOTHING_WAITS, Unapplied

REPAIR_EVERY_S = 60.0
FULL_REPAIR_EVERY_S = 3600.0  # a database reads every entry then
LOSSES_SHOWN_MAX = 5  # lines in `status`
NAMES_LOGGED_MAX = 20  # of entries, in one line
FORGET_HISTORY_EVERY_S = 60.0
COUNT_ENTRIES_EVERY_S = 60.0
TURN_EVERY_S = 1.0
DIFFERENCE_LOGGED_AFTER_S = 180.0  # an edited file reaches some hosts minutes after others
TURN_WHILE_ENTRIES_WAIT_EVERY_S = 0.2

log = logging.getLogger("beatd")


class Declares(Protocol):
    """Callable that writes the entries declared in files or in an app to the store."""

    def __call__(
        self,
        catalog: EditableCatalog,
        nth_lead: int,
        released: Callable[[], None],
        lasts: Callable[[], bool],
    ) -> bool:
        """Write the entries of each changed source to `catalog`; return True if anything changed.

        `nth_lead` counts the leads of this daemon (`Lead.nth`); 0 writes nothing. `released` is
        called when fewer entries have to wait. Raises Deposed if `lasts` returns False.
        """

    def unapplied(self, nth_lead: int) -> Unapplied:
        """Return the entries that must not run yet, because their declarations are not written yet.

        `nth_lead` counts the leads of this daemon (`Lead.nth`). Any thread may call this.
        """

    def compare_again(self, catalog: EditableCatalog, *, whole: bool) -> None:
        """Make the next call compare the declared entries with the store, which may have lost some.

        If `whole` is False, only those files or apps are compared of which the store has no entry.
        """

    def conflicts(self) -> list[str]:
        """Return one line of text for each declaration that could not be read or written."""

    def digest(self) -> str:
        """Return a digest of the declarations, to compare the declarations of two daemons."""

    def needs_reload(self) -> tuple[str, ...]:
        """Return the names of changed settings that this daemon uses only after a reload."""


class HistoryLimits(Struct, frozen=True):
    """The greatest age of a history record, and the greatest number of records to keep.

    `changes` is the greatest age of a record of a change of an entry.
    """

    age: timedelta = timedelta(days=7)
    records: int = 1_000_000
    changes: timedelta = timedelta(days=365)


class Housekeeping:
    """Does the regular maintenance of a store, in a background thread of the daemon.

    `nth_lead` returns the number of this daemon's lead (`Lead.nth`), or 0. `rest` is called between
    the batches of a long job, `wake` when entries changed or may run now, and `counted` once, with
    the number of entries. `emit` gets an event when somebody paused or resumed entries.
    """

    def __init__(
        self,
        *,
        name: str,
        declaring: Declares | None,
        history: HistoryLimits,
        clock: Clock,
        nth_lead: Callable[[], int],
        rest: Callable[[], None],
        wake: Callable[[], None] = lambda: None,
        counted: Callable[[int], None] = lambda entries: None,
        emit: Observer = nobody,
    ) -> None:
        self._pause_news = PauseNews(emit=emit, rest=rest)
        self._planning_rules = PlanningRules(clock=clock, nth_lead=nth_lead, rest=rest)
        self._counted: Callable[[int], None] | None = counted
        self._name, self._declaring, self._history = name, declaring, history
        self._clock, self._nth_lead, self._rest, self._wake = clock, nth_lead, rest, wake
        self._forgot_history_at = self._counted_at = float("-inf")
        self._counted_version: str | None = None
        self._difference, self._log_difference_at = "", float("inf")
        self._losses: list[str] = []
        self._repaired_at = self._repaired_all_at = float("-inf")
        self._repaired_in_lead = 0
        self.entries = 0

    @property
    def conflicts(self) -> list[str]:
        """The known problems, one line of text for each.

        A problem is an invalid declaration, a leader that declares other entries than this daemon,
        or data that the store lost.
        """
        declared = list(self._declaring.conflicts()) if self._declaring is not None else []
        return [*declared, *([self._difference] if self._difference else []), *self._losses]

    @property
    def declares(self) -> str:
        """A digest of the entries that this daemon's sources declare; "" without sources."""
        return self._declaring.digest() if self._declaring is not None else ""

    @property
    def needs_reload(self) -> tuple[str, ...]:
        """The names of changed settings that this daemon uses only after a reload."""
        return self._declaring.needs_reload() if self._declaring is not None else ()

    def unapplied(self, nth_lead: int) -> Unapplied:
        """Return the entries that must not run yet, because their declarations are not written yet.

        `nth_lead` is the number of this daemon's lead (`Lead.nth`).
        """
        return self._declaring.unapplied(nth_lead) if self._declaring is not None else NOTHING_WAITS

    def turn(self, store: Roles) -> float:
        """Do the maintenance that is due, and return the seconds until the next turn.

        If the store fails or this daemon stops leading, the next turn tries again.
        """
        with suppress(StoreError, Deposed):
            if self.run_once(
                catalog=store.catalog,
                changes=store.changes,
                repair=store.repair,
                requests=store.requests,
                history=store.history,
                presences=store.presences,
            ):
                self._wake()
        nth_lead = self._nth_lead()
        waits = bool(nth_lead) and bool(self.unapplied(nth_lead).owners)
        return TURN_WHILE_ENTRIES_WAIT_EVERY_S if waits else TURN_EVERY_S

    def run_once(
        self,
        *,
        catalog: EditableCatalog,
        changes: Changes,
        repair: RepairableCatalog,
        requests: Requests,
        history: History,
        presences: Presences,
    ) -> bool:
        """Do the maintenance that is due; return True if declared entries changed the store.

        A standby only reads. Raise StoreError if the store fails, and Deposed if this daemon stops
        leading; the next call then does the remaining jobs.
        """
        nth_lead, changed = self._nth_lead(), False
        try:
            if nth_lead:
                self._planning_rules.compare(catalog, nth_lead)
                # Soon, because a run at the end of a pause must not be late.
                self._end_pauses(catalog, changes, nth_lead)
                self._pause_news.read(catalog, changes, nth_lead)
            if self._declaring is not None:
                lasts = partial(self._leads, nth_lead)
                changed = self._declaring(catalog, nth_lead, self._wake, lasts)
            self._compare_with_leader(presences, bool(nth_lead))
        finally:
            if nth_lead:
                self._repair(catalog, repair, nth_lead)
                self._count(catalog)
            self._count_first(catalog, presences, nth_lead)
            if nth_lead:
                try:
                    self._planning_rules.replan(catalog, requests, nth_lead)
                finally:  # also after a failure: the history must not fill the disk
                    self._forget(history, changes)
        return changed

    def _end_pauses(self, catalog: EditableCatalog, changes: Changes, nth_lead: int) -> None:
        lasts = partial(self._leads, nth_lead)
        while names := end_pauses(catalog, changes, self._clock.now(), lasts):
            more = len(names) - NAMES_LOGGED_MAX
            shown = ", ".join(names[:NAMES_LOGGED_MAX]) + (f" and {more} more" if more > 0 else "")
            log.info("resumed: %s; the pause has ended", shown)
            self._wake()
            self._rest()

    def _count_first(self, catalog: Catalog, presences: Presences, nth_lead: int) -> None:
        # This is done once, as soon as a leader is known.
        if self._counted is None or (nth_lead and self.unapplied(nth_lead).owners):
            return
        others = (one for one in presences.daemons() if one.holder.name != self._name)
        if nth_lead or any(one.role == "leader" for one in others):
            counted, self._counted = self._counted, None
            if nth_lead:  # the declared entries may have been written since the last count
                self._counted_at = float("-inf")
                self._count(catalog)
            counted(self.entries if nth_lead else catalog.count())

    def _repair(self, catalog: EditableCatalog, repair: RepairableCatalog, nth_lead: int) -> None:
        # This is done once a minute. All entries are checked once an hour and after this daemon
        # became the leader.
        now = self._clock.elapsed()
        if nth_lead != self._repaired_in_lead:
            self._repaired_in_lead, self._losses = nth_lead, []
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
        # The last LOSSES_SHOWN_MAX lines are shown by `conflicts`.
        for line in lines:
            log.warning("%s", line)
        self._losses = [*self._losses, *lines][-LOSSES_SHOWN_MAX:]

    def _leads(self, nth_lead: int) -> bool:
        return self._nth_lead() == nth_lead

    def _count(self, catalog: Catalog) -> None:
        if self._clock.elapsed() - self._counted_at > COUNT_ENTRIES_EVERY_S:
            self._counted_at = self._clock.elapsed()
            version = catalog.version()  # cheap, while a database reads all entries to count
            if version != self._counted_version:
                self.entries, self._counted_version = catalog.count(), version

    def _forget(self, history: History, changes: Changes) -> None:
        if self._clock.elapsed() - self._forgot_history_at > FORGET_HISTORY_EVERY_S:
            self._forgot_history_at = self._clock.elapsed()
            now = self._clock.now()
            history.forget(now - self._history.age, self._history.records)
            changes.forget_changes(now - self._history.changes, RECORDS_MAX)

    def _compare_with_leader(self, presences: Presences, leading: bool) -> None:
        # On the leader, an earlier problem is cleared.
        if leading or self._declaring is None:
            self._difference = ""
            return
        # If this standby became the leader, it would change the entries.
        leaders = [one for one in presences.daemons() if one.role == "leader"]
        differing = [one.holder.name for one in leaders if one.declares not in ("", self.declares)]
        before, self._difference = self._difference, ""
        if differing:
            self._difference = (
                f"what {self._name} declares differs from what the leader {differing[0]} does; two "
                "configurations on one store need two names (`name:`)"
            )
            now = self._clock.elapsed()
            if self._difference != before:
                self._log_difference_at = now + DIFFERENCE_LOGGED_AFTER_S
            if now >= self._log_difference_at:
                self._log_difference_at = float("inf")
                log.warning("%s", self._difference)
