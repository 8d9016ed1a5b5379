"""Notice that the store lost its newest data, as after a failover or a restored backup."""

from collections.abc import Sequence

from beatd.by_moment import ByMoment
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

    def read(self, found: Sequence[Stored], kept: ByMoment) -> None:
        """Emit the event `WentBack` if the store shows an older state of an entry than before.

        `found` are entries read from the store, soonest first. `kept` are those in memory until
        now; the newest one that was passed to `claimed` is known too.
        """
        newest, soonest = self._newest, kept.soonest()
        known = {} if newest is None else {newest.entry.name: newest}
        until = None if newest is None else newest.plan.due
        first_due = found[0].plan.due if found else None
        if soonest is not None and first_due is not None and first_due < soonest:
            known |= {row.entry.name: row for row in kept}
            until = soonest if until is None else max(until, soonest)
        for row in found:
            due, before = row.plan.due, known.get(row.entry.name)
            if until is None or due is None or due >= until:
                return
            if before is not None and _is_older(row, before):
                self._newest = None
                back = f"its plan is back at {first_due}"
                lost = f"it forgot that {row.entry.name!r} was claimed for {row.plan.planned}"
                self._emit(WentBack(f"{back}: {lost}; {REPEATED}"))
                return


def _is_older(row: Stored, before: Stored) -> bool:
    # The plan of an entry that nobody edited only goes on. One that waited for the end of a run may
    # be due earlier, but is planned for the same moment.
    now, then = row.plan.planned, before.plan.planned
    return row.revision == before.revision and now is not None and then is not None and now < then
