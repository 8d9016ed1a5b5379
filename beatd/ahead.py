"""What was read ahead: the next rows of the plan, so that only claim and publish remain.

It may be stale at any time and that is safe: a claim compares the row with what was read.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush

from beatd.catalog import Stored
from beatd.ledger import Move


class Ahead:
    """Rows by due moment; it knows the plan up to `covers`, or all of it when that is None."""

    def __init__(self) -> None:
        self._read: list[Stored] = []  # as the plan has them, soonest last
        self._added = _Heap()  # those that moved on since
        self._unprepared = _Heap()
        self._moves: dict[str, tuple[Stored, Move, datetime]] = {}
        self.covers: datetime | None = None
        self.read_at = float("-inf")

    def load(self, rows: Sequence[Stored], covers: datetime | None, read_at: float) -> None:
        """Forget what was read before, but not the moves of rows that are as they were."""
        self._read = sorted(rows, key=_due, reverse=True)
        self._added = _Heap()
        moves = self._moves
        self._moves = {row.entry.name: moves[row.entry.name] for row in rows if self._kept(row)}
        self._unprepared = _Heap(row for row in rows if row.entry.name not in self._moves)
        self.covers, self.read_at = covers, read_at

    def add(self, row: Stored) -> None:
        """A row that moved on, if it falls within what is covered."""
        due = row.plan.due
        if due is not None and (self.covers is None or due < self.covers):
            self._added.push(row)
            self._unprepared.push(row)

    def take_due(self, now: datetime, limit: int) -> list[Stored]:
        """Remove and return what is due, oldest first."""
        taken: list[Stored] = []
        while len(taken) < limit:
            read = _due(self._read[-1]) if self._read else None
            added = self._added.soonest()
            if read is not None and read <= now and (added is None or read <= added):
                taken.append(self._read.pop())
            elif added is not None and added <= now:
                taken.append(self._added.pop())
            else:
                break
        return taken

    def next_due(self) -> datetime | None:
        read = _due(self._read[-1]) if self._read else None
        added = self._added.soonest()
        if read is None or added is None:
            return read or added
        return min(read, added)

    def unprepared(self, until: datetime) -> Iterator[Stored]:
        """Those due up to a moment for which no move was kept; each but once, soonest first."""
        while (soonest := self._unprepared.soonest()) is not None and soonest <= until:
            yield self._unprepared.pop()

    def keep(self, row: Stored, move: Move, until: datetime) -> None:
        """What becomes of a row that is settled before its moment has passed `until`."""
        self._moves[row.entry.name] = (row, move, until)

    def move_of(self, row: Stored, now: datetime) -> Move | None:
        """What was kept for the row as it is, if it still holds; it is given out once."""
        kept = self._moves.pop(row.entry.name, None)
        if kept is None or now >= kept[2] or not _same(kept[0], row):
            return None
        return kept[1]

    def _kept(self, row: Stored) -> bool:
        kept = self._moves.get(row.entry.name)
        return kept is not None and _same(kept[0], row)

    @property
    def unread(self) -> bool:
        return self.read_at == float("-inf")

    def exhausted(self, now: datetime) -> bool:
        """Whether there may be due rows that were not read."""
        return self.covers is not None and self.covers <= now and self.next_due() is None

    def forget(self) -> None:
        self._read, self._added, self._unprepared = [], _Heap(), _Heap()
        self._moves, self.covers, self.read_at = {}, None, float("-inf")


class _Heap:
    """Rows by due moment, soonest first."""

    def __init__(self, rows: Iterable[Stored] = ()) -> None:
        # The id keeps two readings of one row apart, which cannot be ordered.
        self._rows = [(_due(row), id(row), row) for row in rows]
        heapify(self._rows)

    def push(self, row: Stored) -> None:
        heappush(self._rows, (_due(row), id(row), row))

    def pop(self) -> Stored:
        return heappop(self._rows)[2]

    def soonest(self) -> datetime | None:
        return self._rows[0][0] if self._rows else None


def _due(row: Stored) -> datetime:
    assert row.plan.due is not None, "a row without a moment is not in the plan"
    return row.plan.due


def _same(one: Stored, other: Stored) -> bool:
    return (one.revision, one.plan.planned, one.runs) == (
        other.revision,
        other.plan.planned,
        other.runs,
    )
