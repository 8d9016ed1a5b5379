"""What was read ahead: the next rows of the plan, so that only claim and publish remain.

It may be stale at any time and that is safe: a claim compares the row with what was read.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import heappop, heappush

from beatd.catalog import Stored
from beatd.ledger import Move


class Ahead:
    """Rows by due moment; it knows the plan up to `covers`, or all of it when that is None."""

    def __init__(self) -> None:
        self._rows = ByMoment()
        self._unprepared = ByMoment()
        self._moves: dict[str, tuple[Stored, Move, datetime]] = {}
        self.covers: datetime | None = None
        self.read_at = float("-inf")

    def load(
        self, rows: Sequence[Stored], covers: datetime | None, read_at: float
    ) -> Sequence[str]:
        """Forget what was read before, but not the moves of rows that are as they were.

        Return the names that were read before and are no longer in the plan, as far as it is read:
        removed, paused, or due later than before.
        """
        before, self._rows = self._rows, ByMoment(rows)
        gone = before.names(covers) - self._rows.names()
        moves = self._moves
        self._moves = {row.entry.name: moves[row.entry.name] for row in rows if self._kept(row)}
        self._unprepared = ByMoment(row for row in rows if row.entry.name not in self._moves)
        self.covers, self.read_at = covers, read_at
        return list(gone)

    def add(self, row: Stored) -> None:
        """A row that moved on, if it falls within what is covered."""
        due = row.plan.due
        if due is not None and (self.covers is None or due < self.covers):
            self._rows.push(row)
            self._unprepared.push(row)

    def take_due(self, now: datetime, limit: int) -> list[Stored]:
        """Remove and return what is due, oldest first."""
        self._unprepared.drop(now)  # too late for that
        return self._rows.take(now, limit)

    def next_due(self) -> datetime | None:
        return self._rows.soonest()

    def take_unprepared(self, until: datetime, limit: int) -> list[Stored]:
        """Those due up to a moment for which no move was kept; each but once, soonest first."""
        return self._unprepared.take(until, limit)

    def keep(self, row: Stored, move: Move, until: datetime) -> None:
        """What becomes of a row that is settled before its moment has passed `until`."""
        self._moves[row.entry.name] = (row, move, until)

    def move_of(self, row: Stored, now: datetime) -> Move | None:
        """What was kept for the row as it is, if it still holds; it is given out once."""
        kept = self._moves.pop(row.entry.name, None)
        if kept is None or now >= kept[2] or not _same(kept[0], row):
            return None
        return kept[1]

    def moves_at(self, moment: datetime, limit: int) -> list[Move]:
        """The first moves that were kept for a moment, in the order of `take_due`."""
        moves = list[Move]()
        for row in self._rows.at(moment, limit):
            kept = self._moves.get(row.entry.name)
            if kept is None or not _same(kept[0], row):
                break
            moves.append(kept[1])
        return moves

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
        self._rows, self._unprepared = ByMoment(), ByMoment()
        self._moves, self.covers, self.read_at = {}, None, float("-inf")


class ByMoment:
    """Rows by due moment, soonest first; a herd is one moment, and costs no more than a look-up."""

    def __init__(self, rows: Iterable[Stored] = ()) -> None:
        self._rows: dict[datetime, list[Stored]] = {}
        self._moments: list[datetime] = []  # a heap
        for row in rows:
            self.push(row)

    def push(self, row: Stored) -> None:
        due = row.plan.due
        assert due is not None, "a row without a moment is not in the plan"
        rows = self._rows.get(due)
        if rows is None:
            self._rows[due] = [row]
            heappush(self._moments, due)
        else:
            rows.append(row)

    def take(self, until: datetime, limit: int) -> list[Stored]:
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
        return self._rows.get(moment, [])[:limit]

    def drop(self, until: datetime) -> None:
        while self._moments and self._moments[0] <= until:
            del self._rows[heappop(self._moments)]

    def names(self, before: datetime | None = None) -> set[str]:
        """Of the rows that are due before a moment; of all without one."""
        return {
            row.entry.name
            for due, rows in self._rows.items()
            if before is None or due < before
            for row in rows
        }

    def soonest(self) -> datetime | None:
        return self._moments[0] if self._moments else None


def _same(one: Stored, other: Stored) -> bool:
    return (one.revision, one.plan.planned, one.runs) == (
        other.revision,
        other.plan.planned,
        other.runs,
    )
