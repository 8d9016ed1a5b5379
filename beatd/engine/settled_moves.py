"""What becomes of rows: worked out at their moment, or before it and kept until then."""

from collections.abc import Sequence
from datetime import datetime

from beatd.catalog import Stored
from beatd.engine.by_moment import ByMoment
from beatd.engine.moves import Mover, holds_until
from beatd.events import Observer, Unplannable
from beatd.ledger import Move
from beatd.run import Run

ROWS_AT_ONCE = 100  # settled ahead between two looks at what is due
FAULTY_KEPT = 10_000  # entries whose plan failed that are remembered, so that each is told of once


class SettledMoves:
    def __init__(self, tell: Observer) -> None:
        self._tell = tell
        self.mover: Mover  # of the store's namespace, made when a term begins
        self._unsettled = ByMoment()
        self._kept: dict[str, tuple[Stored, Move, datetime]] = {}
        self._faulty = dict[str, int]()  # entries whose plan failed, and the revision told of

    def begin(self, mover: Mover) -> None:
        self.mover = mover
        self._faulty.clear()
        self.forget()

    def forget(self) -> None:
        self._unsettled, self._kept = ByMoment(), {}

    def read(self, rows: Sequence[Stored]) -> None:
        """Forget moves of other rows than these; what has none yet can be settled ahead."""
        moves = self._kept
        self._kept = {row.entry.name: moves[row.entry.name] for row in rows if self._has(row)}
        self._unsettled = ByMoment(row for row in rows if row.entry.name not in self._kept)

    def add(self, row: Stored) -> None:
        """Add a row that moved on: it can be settled ahead of its next moment."""
        self._unsettled.push(row)

    def forget_faults(self, names: Sequence[str]) -> None:
        for name in names:
            self._faulty.pop(name, None)

    def settle(self, rows: Sequence[Stored], now: datetime) -> list[Move]:
        """Return the moves of rows that are due; a move that was kept is given out once."""
        moves = (self._take(row, now) or self._settle(row, now) for row in rows)
        return [move for move in moves if move is not None]

    def settle_ahead(self, now: datetime, until: datetime) -> tuple[list[Run], bool]:
        """Settle some rows as of their moments; return their runs, and True if there are more."""
        self._unsettled.drop(now)  # too late for that
        rows = self._unsettled.take(until, ROWS_AT_ONCE)
        runs = list[Run]()
        for row in rows:
            assert row.plan.due is not None
            move = self._settle(row, max(now, row.plan.due))
            if move is None:
                continue
            holds = holds_until(row, move)
            if holds is not None:
                self._kept[row.entry.name] = row, move, holds
            if move.run is not None:
                runs.append(move.run)
        return runs, len(rows) == ROWS_AT_ONCE

    def of(self, rows: Sequence[Stored]) -> list[Move]:
        """The moves that are kept for the first of these rows, up to one without."""
        moves = list[Move]()
        for row in rows:
            if not self._has(row):
                break
            moves.append(self._kept[row.entry.name][1])
        return moves

    def _take(self, row: Stored, now: datetime) -> Move | None:
        kept = self._kept.pop(row.entry.name, None)
        if kept is None or now >= kept[2] or not is_same(kept[0], row):
            return None
        return kept[1]

    def _has(self, row: Stored) -> bool:
        kept = self._kept.get(row.entry.name)
        return kept is not None and is_same(kept[0], row)

    def _settle(self, row: Stored, now: datetime) -> Move | None:
        if self._faulty.get(row.entry.name) == row.revision:
            return None  # not tried again: a search that is given up takes its time
        try:
            return self.mover.due(row, now)
        except Exception as fault:  # one entry must not end the beat of all
            if len(self._faulty) >= FAULTY_KEPT:
                self._faulty.clear()
            self._faulty[row.entry.name] = row.revision
            self._tell(Unplannable(row.entry.name, f"{type(fault).__name__}: {fault}"))
            return None


def is_same(one: Stored, other: Stored) -> bool:
    return (one.revision, one.plan.planned, one.runs) == (
        other.revision,
        other.plan.planned,
        other.runs,
    )
