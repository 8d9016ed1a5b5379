"""Noticing that the store went back in time: a failover, or a backup that was restored."""

import threading
from collections.abc import Sequence
from datetime import datetime

from beatd.catalog import Stored
from beatd.events import Observer, WentBack
from beatd.leader import Term

REPEATED = "runs it forgot may be repeated, under their own ids"


class Hindsight:
    """A store that lost what it had acknowledged lost the newest claim first, so only that one is
    remembered: its row must not be seen again with an earlier moment, unless it was edited."""

    def __init__(self, tell: Observer) -> None:
        self._tell = tell
        self._newest: Stored | None = None

    def claimed(self, row: Stored) -> None:
        """As it is since its claim."""
        self._newest = row

    def read(self, rows: Sequence[Stored], now: datetime) -> None:
        """Rows of the plan, soonest first: what went back is due, as it was before."""
        newest = self._newest
        if newest is None or newest.plan.due is None:
            return
        for row in rows:
            due = row.plan.due
            if due is None or due > now or due >= newest.plan.due:
                return
            if (row.entry.name, row.revision) == (newest.entry.name, newest.revision):
                self._newest = None
                back = f"its plan is back at {rows[0].plan.due}"
                lost = f"it forgot that {row.entry.name!r} was claimed for {row.plan.planned}"
                self._tell(WentBack(f"{back}: {lost}; {REPEATED}"))
                return


class TermsSeen:
    """A ledger never issues a term that is older than one it issued before, to whichever daemon.

    Any thread may call it; each loss is told once.
    """

    def __init__(self, tell: Observer) -> None:
        self._tell = tell
        self._guard = threading.Lock()
        self._newest: Term | None = None

    def saw(self, term: Term) -> None:
        """The newest term that the ledger has now."""
        with self._guard:
            newest, self._newest = self._newest, term
        if newest is not None and term != newest and term.number <= newest.number:
            old = f"it issued term {term.number} after {newest.number}"
            self._tell(WentBack(f"{old}; {REPEATED}"))

    def forget(self) -> None:
        """What was seen is gone, and that was told."""
        with self._guard:
            self._newest = None
