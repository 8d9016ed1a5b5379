"""Notice that the store lost its newest data, as after a failover or a restored backup."""

from collections.abc import Sequence
from datetime import datetime

from beatd.catalog import Stored
from beatd.events import Observer, WentBack

REPEATED = "runs it forgot may be repeated, under their own ids"


class Rewind:
    """Notices that the store lost its newest data: an entry whose run was sent is due again."""

    def __init__(self, emit: Observer) -> None:
        self._emit = emit
        self._newest: Stored | None = None

    def claimed(self, row: Stored) -> None:
        """Remember the entry of the newest run, so that `read` can notice an older state of it."""
        self._newest = row

    def read(self, rows: Sequence[Stored], now: datetime) -> None:
        """Emit the event `WentBack` if the store shows an older state of an entry than before.

        The entry is the one that was last passed to `claimed`; `rows` are entries read from the
        store.
        """
        newest = self._newest
        if newest is None or newest.plan.due is None or newest.plan.planned is None:
            return
        for row in rows:
            due = row.plan.due
            if due is None or due > now or due >= newest.plan.due:
                return
            if (row.entry.name, row.revision) == (newest.entry.name, newest.revision):
                if row.plan.planned is None or row.plan.planned >= newest.plan.planned:
                    return  # it waited for the end of a run, which came earlier
                self._newest = None
                back = f"its plan is back at {rows[0].plan.due}"
                lost = f"it forgot that {row.entry.name!r} was claimed for {row.plan.planned}"
                self._emit(WentBack(f"{back}: {lost}; {REPEATED}"))
                return
