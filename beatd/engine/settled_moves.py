"""Keep moves (changes of one row) that were computed before the due moment of their row."""

from collections.abc import Sequence
from datetime import datetime
from sys import maxsize

from beatd.by_moment import ByMoment
from beatd.catalog import Stored
from beatd.engine.moves import Mover
from beatd.events import Observer, Unplannable
from beatd.ledger import Move
from beatd.may_still_run import holds_until
from beatd.run import Run

ROWS_AT_ONCE = 100  # settled ahead in one tick
FAULTY_KEPT = 10_000  # remembered entries whose plan failed, each reported once


class SettledMoves:
    """Computes the moves (changes of one row each) of rows when they are due or earlier, and stores
    the moves until they are used."""

    def __init__(self, emit: Observer) -> None:
        self._emit = emit
        self.mover: Mover  # of the store's namespace, made when a term begins
        self._unsettled = ByMoment()
        self._kept: dict[str, tuple[Stored, Move, datetime]] = {}
        self._faulty = dict[str, int]()  # name -> revision of entries whose plan failed

    def begin(self, mover: Mover) -> None:
        """Compute moves with `mover` from now on; delete all stored moves, rows and faults."""
        self.mover = mover
        self._faulty.clear()
        self.forget()

    def forget(self) -> None:
        """Delete all stored moves, and all rows whose moves could be computed ahead."""
        self._unsettled, self._kept = ByMoment(), {}

    def read(self, rows: Sequence[Stored]) -> None:
        """Delete all moves but those of `rows`; `settle_ahead` will compute the missing ones."""
        moves = self._kept
        self._kept = {row.entry.name: moves[row.entry.name] for row in rows if self._has(row)}
        self._unsettled = ByMoment(row for row in rows if row.entry.name not in self._kept)

    def add(self, row: Stored) -> None:
        """Add a row that moved to its next moment; `settle_ahead` computes its next move."""
        self._unsettled.push(row)

    def forget_fault(self, name: str) -> None:
        """Forget that the plan of the entry `name` failed, so that its move is computed again."""
        self._faulty.pop(name, None)

    def settle(self, rows: Sequence[Stored], now: datetime) -> list[Move]:
        """Return the moves of due rows; leave out rows whose plan fails, and emit `Unplannable`."""
        moves = [self._take(row, now) or self._settle(row, now) for row in rows]
        return [move for move in moves if move is not None]

    def settle_ahead(self, now: datetime, until: datetime) -> tuple[list[Run], bool]:
        """Compute moves due by `until`; return their runs, and True if there may be more."""
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
        """Return the stored moves of `rows` in order, up to the first row without a stored move."""
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
        """Return a row's move; if its plan fails, emit `Unplannable` once and return None."""
        if self._faulty.get(row.entry.name) == row.revision:
            return None  # not tried again: a search that is given up takes its time
        try:
            return self.mover.due(row, now)
        except Exception as fault:  # one entry must not end the beat of all
            if len(self._faulty) >= FAULTY_KEPT:
                self._faulty.clear()
            self._faulty[row.entry.name] = row.revision
            self._emit(Unplannable(row.entry.name, f"{type(fault).__name__}: {fault}"))
            return None


def is_same(one: Stored, other: Stored) -> bool:
    is_at_same_run = one.runs == other.runs and one.plan.planned == other.plan.planned
    return is_at_same_run and one.revision == other.revision and one.running == other.running
