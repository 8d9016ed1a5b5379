"""Decide a few seconds before entries are due whether each run is sent, skipped or waits."""

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
    """Decides ahead of time what happens to each entry when it is due: send, skip or wait.

    A decision is a Move, one change to make in the store.
    """

    def __init__(self, emit: Observer) -> None:
        self._emit = emit
        self.mover: Mover  # of the store's namespace, made when a term begins
        self._unsettled = ByMoment()
        self._kept: dict[str, tuple[Stored, Move, datetime]] = {}
        self._faulty = dict[str, int]()  # name -> revision of entries whose plan failed

    def begin(self, mover: Mover) -> None:
        """Delete all earlier decisions, and make all later ones with `mover`."""
        self.mover = mover
        self._faulty.clear()
        self.forget()

    def forget(self) -> None:
        """Delete all decisions, and all entries that wait for one."""
        self._unsettled, self._kept = ByMoment(), {}

    def read(self, rows: Sequence[Stored]) -> None:
        """Keep only the decisions about the entries in `rows`, and note which have none yet."""
        moves = self._kept
        self._kept = {row.entry.name: moves[row.entry.name] for row in rows if self._has(row)}
        self._unsettled = ByMoment(row for row in rows if row.entry.name not in self._kept)

    def add(self, row: Stored) -> None:
        """Add an entry about which `settle_ahead` has to decide."""
        self._unsettled.push(row)

    def forget_fault(self, name: str) -> None:
        """Try again to compute the next run of the entry `name`, although this failed before."""
        self._faulty.pop(name, None)

    def settle(self, rows: Sequence[Stored], now: datetime) -> list[Move]:
        """Return the decisions about entries that are due now.

        An entry whose next run cannot be computed is left out, and reported as `Unplannable`.
        """
        moves = [self._take(row, now) or self._settle(row, now) for row in rows]
        return [move for move in moves if move is not None]

    def settle_ahead(self, now: datetime, until: datetime) -> tuple[list[Run], bool]:
        """Decide about the entries that are due by `until`, at most 100 in one call.

        Return the runs that will be sent, and True if there may be more entries to decide about.
        """
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
        """Return the decisions made about these entries, up to the first entry without one."""
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
            self._emit(Unplannable(row.entry.name, f"{type(fault).__name__}: {fault}"))
            return None


def is_same(one: Stored, other: Stored) -> bool:
    is_at_same_run = one.runs == other.runs and one.plan.planned == other.plan.planned
    # The end of a run makes a plan that waits for it due at once, and so earlier than was decided.
    is_due_then = one.plan.due == other.plan.due and one.running == other.running
    return is_at_same_run and is_due_then and one.revision == other.revision
