"""Kept in order beside the beat: what is declared applied, losses mended, old history forgotten,
rules renewed."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol

from msgspec import Struct

from beatd.catalog import Catalog, EditableCatalog, RepairableCatalog
from beatd.clock import Clock
from beatd.edits.repair import mend
from beatd.edits.replan import outdated, reckon_again
from beatd.ledger import History
from beatd.presence import Presences
from beatd.unapplied import NOTHING_WAITS, Unapplied

MENDED_EVERY_S = 60.0
MENDED_WHOLE_EVERY_S = 3600.0  # a database looks at every entry then
LOSSES_SAID = 5  # lines in `status`
SWEPT_EVERY = 60.0
COUNTED_EVERY = 60.0


log = logging.getLogger("beatd")


class Declares(Protocol):
    def __call__(
        self,
        catalog: EditableCatalog,
        term: int,
        released: Callable[[], None],
        lasts: Callable[[], bool],
    ) -> bool:
        """Apply what is declared anew, as the leader of a term (0 on a standby); whether the store
        was changed. `released` is called each time that fewer entries wait, `lasts` asked whether
        the term is over; then it raises Deposed."""

    def unapplied(self, term: int) -> Unapplied:
        """Which entries the leader of that term must not run yet; from any thread."""

    def again(self, catalog: EditableCatalog, *, whole: bool) -> None:
        """What was applied may be lost: at the next call compare all of it if `whole`, else what an
        owner declares of whom nothing is in the store."""

    def conflicts(self) -> list[str]: ...

    def digest(self) -> str: ...


class Keep(Struct, frozen=True):
    """How much history there is."""

    age: timedelta = timedelta(days=7)
    records: int = 1_000_000


class Housekeeping:
    """One round is a look at everything; on a thread of its own, which may be held up by any of it.

    `term` (the number of the term that this daemon leads, 0 on a standby) is asked again during
    long work, and `rest` called, so that the beat is not held up too.
    """

    def __init__(
        self,
        *,
        name: str,
        declaring: Declares | None,
        keep: Keep,
        clock: Clock,
        term: Callable[[], int],
        rest: Callable[[], None],
        released: Callable[[], None] = lambda: None,
    ) -> None:
        self._name, self._declaring, self._keep = name, declaring, keep
        self._clock, self._term, self._rest, self._released = clock, term, rest, released
        self._swept_at = self._counted_at = float("-inf")
        self._counted: str | None = None  # the version
        self._differs = ""
        self._losses: list[str] = []
        self._mended_at = self._mended_all_at = float("-inf")
        self._mended_in = 0  # the term
        self.entries = 0

    @property
    def conflicts(self) -> list[str]:
        found = list(self._declaring.conflicts()) if self._declaring is not None else []
        return [*found, *([self._differs] if self._differs else []), *self._losses]

    @property
    def declares(self) -> str:
        """The digest of what this daemon would apply."""
        return self._declaring.digest() if self._declaring is not None else ""

    def unapplied(self, term: int) -> Unapplied:
        """Which entries the leader of that term must not run yet."""
        return self._declaring.unapplied(term) if self._declaring is not None else NOTHING_WAITS

    def round(
        self,
        *,
        catalog: EditableCatalog,
        repair: RepairableCatalog,
        history: History,
        presences: Presences,
    ) -> bool:
        """Whether entries were changed. Raises StoreError; the next round makes up for it."""
        term, changed = self._term(), False
        try:
            if self._declaring is not None:
                lasts = partial(self._leads, term)
                changed = self._declaring(catalog, term, self._released, lasts)
            self._compare_with_leader(presences, bool(term))
        finally:
            if term:
                self._mend(catalog, repair, term)
                self._count(catalog)
                self._sweep(catalog, history)
        return changed

    def _mend(self, catalog: EditableCatalog, repair: RepairableCatalog, term: int) -> None:
        """What was lost behind the store's back is said for as long as this daemon leads."""
        now = self._clock.elapsed()
        if term != self._mended_in:
            self._mended_in, self._losses = term, []
            self._mended_at = self._mended_all_at = float("-inf")
            self._say_lost(repair.losses())
        if now - self._mended_at < MENDED_EVERY_S:
            return
        whole = now - self._mended_all_at >= MENDED_WHOLE_EVERY_S
        self._mended_at = now
        lost = mend(repair, self._clock.now, whole=whole)
        if whole:
            self._mended_all_at = now
        self._say_lost(lost)
        if self._declaring is not None:
            self._declaring.again(catalog, whole=bool(lost))

    def _say_lost(self, lines: Sequence[str]) -> None:
        for line in lines:
            log.warning("%s", line)
        self._losses = [*self._losses, *lines][-LOSSES_SAID:]

    def _leads(self, term: int) -> bool:
        return self._term() == term

    def _count(self, catalog: Catalog) -> None:
        if self._clock.elapsed() - self._counted_at > COUNTED_EVERY:
            self._counted_at = self._clock.elapsed()
            version = catalog.version()
            if version != self._counted:  # a database counts by looking at each
                self.entries, self._counted = catalog.count(), version

    def _sweep(self, catalog: EditableCatalog, history: History) -> None:
        if self._clock.elapsed() - self._swept_at > SWEPT_EVERY:
            self._swept_at = self._clock.elapsed()
            try:
                if outdated(catalog):
                    reckon_again(catalog, self._clock.now, lambda: bool(self._term()), self._rest)
            finally:  # whatever else fails, the history must not fill the disk
                history.forget(self._clock.now() - self._keep.age, self._keep.records)

    def _compare_with_leader(self, presences: Presences, leading: bool) -> None:
        """A standby with other files would change the entries if it took over; it says so."""
        if leading or self._declaring is None:
            self._differs = ""
            return
        leaders = [one for one in presences.daemons() if one.role == "leader"]
        differing = [one.holder.name for one in leaders if one.declares not in ("", self.declares)]
        self._differs = (
            f"what {self._name} declares differs from what the leader {differing[0]} does"
            if differing
            else ""
        )
