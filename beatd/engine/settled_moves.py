"""Keep moves of rows that were settled (computed) before their moment.

A move takes a row to its next moment and, as a rule, publishes a run.
"""

from collections.abc import Sequence
from datetime import datetime
from sys import maxsize

from beatd.catalog import Stored
from beatd.catch_up import holds_until
from beatd.engine.by_moment import ByMoment
from beatd.engine.moves import Mover
from beatd.events import Observer, Unplannable
from beatd.ledger import Move
from beatd.run import Run

ROWS_AT_ONCE = 100  # settled ahead in one tick
FAULTY_KEPT = 10_000  # remembered entries whose plan failed, each reported once


class SettledMoves:
    """Settles rows at their moment, or ahead of it, and keeps the moves until they are used."""

    def __init__(self, tell: Observer) -> None:
        self._tell = tell
        self.mover: Mover  # of the store's namespace, made when a term begins
        self._unsettled = ByMoment()
        self._kept: dict[str, tuple[Stored, Move, datetime]] = {}
        self._faulty = dict[str, int]()  # name -> revision of entries whose plan failed

    def begin(self, mover: Mover) -> None:
        """Begin a term: use `mover` for the moves from now on, and drop those that were kept."""
        self.mover = mover
        self._faulty.clear()
        self.forget()

    def forget(self) -> None:
        """Drop all moves and all rows to settle ahead."""
        self._unsettled, self._kept = ByMoment(), {}

    def read(self, rows: Sequence[Stored]) -> None:
        """Keep only the moves of these rows; rows without a move can be settled ahead."""
        moves = self._kept
        self._kept = {row.entry.name: moves[row.entry.name] for row in rows if self._has(row)}
        self._unsettled = ByMoment(row for row in rows if row.entry.name not in self._kept)

    def add(self, row: Stored) -> None:
        """Add a row that has moved on, so that it can be settled ahead of its next moment."""
        self._unsettled.push(row)

    def forget_fault(self, name: str) -> None:
        """Forget that the plan of an entry failed, so that it is tried again."""
        self._faulty.pop(name, None)

    def settle(self, rows: Sequence[Stored], now: datetime) -> list[Move]:
        """Return the moves of due rows, kept or new; a row whose plan fails has none."""
        moves = [self._take(row, now) or self._settle(row, now) for row in rows]
        return [move for move in moves if move is not None]

    def settle_ahead(self, now: datetime, until: datetime) -> tuple[list[Run], bool]:
        """Settle some of the rows that are due before `until`, each as of its moment. Return their
        runs, and True if there are more rows."""
        self._unsettled.take(now, maxsize)  # too late for those
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
        """Return the kept moves of the rows in order, and stop at the first row without one."""
        moves = list[Move]()
        for row in rows:
            if not self._has(row):
                break
            moves.append(self._kept[row.entry.name][1])
        return moves

    def _take(self, row: Stored, now: datetime) -> Move | None:
        """Remove and return the kept move of a row; None if there is none or it is out of date."""
        kept = self._kept.pop(row.entry.name, None)
        if kept is None or now >= kept[2] or not is_same(kept[0], row):
            return None
        return kept[1]

    def _has(self, row: Stored) -> bool:
        """True if a move is kept for this state of the row."""
        kept = self._kept.get(row.entry.name)
        return kept is not None and is_same(kept[0], row)

    def _settle(self, row: Stored, now: datetime) -> Move | None:
        """Return the move of a row; None if its plan fails, which emits Unplannable once a
        revision."""
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
    """True if both rows are at the same revision, planned moment and number of runs."""
    is_at_same_run = one.runs == other.runs and one.plan.planned == other.plan.planned
    return is_at_same_run and one.revision == other.revision
