"""Noticing that the store went back in time: a failover, or a backup that was restored."""

from collections.abc import Sequence
from datetime import datetime

from beatd.catalog import Stored
from beatd.events import Observer, WentBack

REPEATED = "runs it forgot may be repeated, under their own ids"


class Rewind:
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
