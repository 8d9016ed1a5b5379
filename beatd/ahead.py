"""What was read ahead: the next rows of the plan, so that only claim and publish remain.

It may be stale at any time and that is safe: a claim compares the row with what was read.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush

from beatd.catalog import Stored
from beatd.ledger import Move

_Heap = list[tuple[datetime, str, int, Stored]]


class Ahead:
    """Rows by due moment; it knows the plan up to `covers`, or all of it when that is None."""

    def __init__(self) -> None:
        self._rows: _Heap = []
        self._unprepared: _Heap = []
        self._moves: dict[str, tuple[Stored, Move, datetime]] = {}
        self.covers: datetime | None = None
        self.read_at = float("-inf")

    def load(self, rows: Sequence[Stored], covers: datetime | None, read_at: float) -> None:
        """Forget what was read before, but not the moves of rows that are as they were."""
        self._rows = [_placed(row) for row in rows]
        heapify(self._rows)
        moves = self._moves
        self._moves = {name: moves[name] for _, name, _, row in self._rows if self._kept(row)}
        self._unprepared = [placed for placed in self._rows if placed[1] not in self._moves]
        heapify(self._unprepared)
        self.covers, self.read_at = covers, read_at

    def add(self, row: Stored) -> None:
        """A row that moved on, if it falls within what is covered."""
        due = row.plan.due
        if due is not None and (self.covers is None or due < self.covers):
            heappush(self._rows, _placed(row))
            heappush(self._unprepared, _placed(row))

    def take_due(self, now: datetime, limit: int) -> list[Stored]:
        """Remove and return what is due, oldest first."""
        taken: list[Stored] = []
        while self._rows and self._rows[0][0] <= now and len(taken) < limit:
            taken.append(heappop(self._rows)[3])
        return taken

    def next_due(self) -> datetime | None:
        return self._rows[0][0] if self._rows else None

    def unprepared(self, until: datetime) -> Iterator[Stored]:
        """Those due up to a moment for which no move was kept; each but once, soonest first."""
        while self._unprepared and self._unprepared[0][0] <= until:
            yield heappop(self._unprepared)[3]

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
        return self.covers is not None and self.covers <= now and (not self._rows)

    def forget(self) -> None:
        self._rows, self._unprepared, self._moves, self.covers = [], [], {}, None
        self.read_at = float("-inf")


def _placed(row: Stored) -> tuple[datetime, str, int, Stored]:
    assert row.plan.due is not None, "a row without a moment is not in the plan"
    # The id keeps two readings of one row apart, which cannot be ordered.
    return row.plan.due, row.entry.name, id(row), row


def _same(one: Stored, other: Stored) -> bool:
    return (one.revision, one.plan.planned, one.runs) == (
        other.revision,
        other.plan.planned,
        other.runs,
    )
