"""Notice that the store lost its newest data, as after a failover or a restored backup."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from msgspec import Struct

from beatd.by_moment import ByMoment
from beatd.catalog import Stored
from beatd.dispatch import Published
from beatd.events import Observer, WentBack
from beatd.ledger import Move

REPEATED = "runs it forgot may be repeated, under their own ids"
CLAIMED_KEPT = 100  # of the newest claims, one for each entry


class Claimed(Struct, frozen=True):
    """A claimed entry: its `revision`, and the run that it has next."""

    name: str
    revision: int
    planned: datetime
    due: datetime


class Rewind:
    """Notices that the store lost its newest data: an entry whose run was sent is due again."""

    def __init__(self, emit: Observer) -> None:
        self._emit = emit
        self._claimed = dict[str, Claimed]()  # by the name of the entry, oldest first

    def sent(self, published: Published) -> None:
        """Remember the newest claims of a batch, so that `read` can notice that they are lost.

        Not only the newest: others may be lost alone, and an outage makes the daemon forget all
        that it has read.
        """
        pairs = zip(reversed(published.moves), reversed(published.made), strict=True)
        claimed = (_claimed(move) for move, ok in pairs if ok)
        newest = list(islice((one for one in claimed if one is not None), CLAIMED_KEPT))
        for one in reversed(newest):
            self._claimed.pop(one.name, None)
            self._claimed[one.name] = one
        for name in list(islice(self._claimed, max(0, len(self._claimed) - CLAIMED_KEPT))):
            del self._claimed[name]

    def read(self, found: Sequence[Stored], kept: ByMoment) -> None:
        """Emit the event `WentBack` if the store shows an older state of an entry than before.

        `found` are entries read from the store, soonest first. `kept` are those in memory until
        now; the newest claims that were passed to `sent` are known too.
        """
        soonest, first_due = kept.soonest(), found[0].plan.due if found else None
        known = dict[str, Stored]()
        ends = [claimed.due for claimed in self._claimed.values()]
        if soonest is not None and first_due is not None and first_due < soonest:
            known = {row.entry.name: row for row in kept}
            ends.append(soonest)
        if not ends:
            return
        until = max(ends)
        for row in found:
            due, name = row.plan.due, row.entry.name
            if due is None or due >= until:
                return
            before, claimed = known.get(name), self._claimed.get(name)
            if (before is not None and _is_older(row, before.revision, before.plan.planned)) or (
                claimed is not None and _is_older(row, claimed.revision, claimed.planned)
            ):
                self._claimed.clear()
                back = f"its plan is back at {first_due}"
                lost = f"it forgot that {name!r} was claimed for {row.plan.planned}"
                self._emit(WentBack(f"{back}: {lost}; {REPEATED}"))
                return


def _claimed(move: Move) -> Claimed | None:
    plan = move.plan
    if plan is None or plan.planned is None or plan.due is None:
        return None
    return Claimed(move.name, move.revision, plan.planned, plan.due)


def _is_older(row: Stored, revision: int, planned: datetime | None) -> bool:
    # The plan of an entry that nobody edited only goes on. One that waited for the end of a run may
    # be due earlier, but is planned for the same moment.
    now = row.plan.planned
    return row.revision == revision and now is not None and planned is not None and now < planned
