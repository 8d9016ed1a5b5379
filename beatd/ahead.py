"""What was read ahead: the next rows of the plan, so that only claim and publish remain.

It may be stale at any time and that is safe: a claim compares the row with what was read.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush

from beatd.catalog import Stored

REMEMBERED = 50_000


def _due(row: Stored) -> datetime:
    assert row.plan.due is not None
    return row.plan.due


class Ahead:
    """Rows by due moment; it knows the plan up to `covers`, or all of it when that is None."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, str, Stored]] = []
        self._fresh: list[Stored] = []  # soonest last
        self._prepared: set[tuple[str, int]] = set()
        self.covers: datetime | None = None
        self.read_at = float("-inf")

    def __len__(self) -> int:
        return len(self._heap)

    def load(self, rows: Sequence[Stored], covers: datetime | None, read_at: float) -> None:
        self._heap = [(row.plan.due, row.entry.name, row) for row in rows if row.plan.due]
        heapify(self._heap)
        self._fresh = sorted(rows, key=_due, reverse=True)
        if len(self._prepared) > REMEMBERED:
            self._prepared.clear()
        self.covers, self.read_at = covers, read_at

    def add(self, row: Stored) -> None:
        """A row that moved on, if it falls within what is covered."""
        due = row.plan.due
        if due is not None and (self.covers is None or due < self.covers):
            heappush(self._heap, (due, row.entry.name, row))

    def take_due(self, now: datetime, limit: int) -> list[Stored]:
        """Remove and return what is due, oldest first."""
        taken: list[Stored] = []
        while self._heap and self._heap[0][0] <= now and len(taken) < limit:
            taken.append(heappop(self._heap)[2])
        return taken

    def next_due(self) -> datetime | None:
        return self._heap[0][0] if self._heap else None

    def unprepared(self, until: datetime) -> Iterator[Stored]:
        """Those due up to a moment whose messages were not asked for before; each but once."""
        while self._fresh:
            row = self._fresh[-1]
            if row.plan.due is not None and row.plan.due > until:
                return
            self._fresh.pop()
            known = (row.entry.name, row.revision)
            if known not in self._prepared:
                self._prepared.add(known)
                yield row

    @property
    def unread(self) -> bool:
        return self.read_at == float("-inf")

    def exhausted(self, now: datetime) -> bool:
        """Whether there may be due rows that were not read."""
        return self.covers is not None and self.covers <= now and (not self._heap)

    def forget(self) -> None:
        self._heap, self._fresh, self.covers = [], [], None
        self.read_at = float("-inf")
