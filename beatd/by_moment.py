"""A queue of entries in memory, ordered by the time at which they are due.

Only the times are sorted, so that many entries due at the same time cost little.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import heappop, heappush

from beatd.catalog import Stored


class ByMoment:
    def __init__(self, rows: Iterable[Stored] = ()) -> None:
        self._rows: dict[datetime, list[Stored]] = {}
        self._moments: list[datetime] = []  # a heap
        for row in rows:
            self.push(row)

    def __iter__(self) -> Iterator[Stored]:
        for rows in self._rows.values():
            yield from rows

    def push(self, row: Stored) -> None:
        """Add an entry to the queue; its due time must not be None."""
        due = row.plan.due
        assert due is not None, "a row without a moment is not in the plan"
        rows = self._rows.get(due)
        if rows is None:
            self._rows[due] = [row]
            heappush(self._moments, due)
        else:
            rows.append(row)

    def take(self, until: datetime, limit: int) -> list[Stored]:
        """Remove and return up to `limit` entries that are due by `until`, soonest first."""
        taken: list[Stored] = []
        while self._moments and self._moments[0] <= until and len(taken) < limit:
            moment, room = self._moments[0], limit - len(taken)
            rows = self._rows[moment]
            taken += rows[:room]
            if len(rows) > room:
                self._rows[moment] = rows[room:]
            else:
                del self._rows[heappop(self._moments)]
        return taken

    def at(self, moment: datetime, limit: int) -> list[Stored]:
        """Return up to `limit` entries that are due at exactly `moment`, without removing them."""
        return self._rows.get(moment, [])[:limit]

    def names(self, before: datetime | None = None) -> set[str]:
        """Return the names of the entries due before `before`, or of all if it is None."""
        return {
            row.entry.name
            for due, rows in self._rows.items()
            if before is None or due < before
            for row in rows
        }

    def soonest(self) -> datetime | None:
        """Return the earliest due time in the queue, or None if the queue is empty."""
        return self._moments[0] if self._moments else None
