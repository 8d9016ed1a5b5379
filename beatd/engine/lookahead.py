"""Read the entries that are due next into memory, some time before they are due.

If an entry is edited meanwhile, the store refuses to run the old version of the entry.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from beatd.by_moment import ByMoment
from beatd.catalog import Stored
from beatd.clock import Clock
from beatd.dispatch import Dispatch, Published
from beatd.engine.batch_size import BatchSize, batches_of
from beatd.engine.rewind import Rewind
from beatd.engine.settled_moves import SettledMoves
from beatd.events import Observer
from beatd.leader import Term
from beatd.ledger import Ledger, Move
from beatd.outcome import RunStates
from beatd.publisher import Publisher
from beatd.unapplied import NOTHING_WAITS, Unapplied

LOOKAHEAD = timedelta(seconds=2)
LOOK_EVERY = timedelta(seconds=1)  # an edit is noticed within this, if the store cannot report it
LOOK_BEFORE_DUE = timedelta(milliseconds=25)  # the version is checked, and batches are prepared
FEWEST_ROWS, MOST_ROWS = 16, 20_000  # of one read
MOST_ROWS_WITH_WAITING = 200_000  # while entries wait, whose rows come first in the plan
PREPARED_MOVES = 875  # just before they are due; more would take too long


class Lookahead:
    """A copy of the entries that are due next, kept in memory for each scheduling pass.

    The copy is read again from the store when entries may have changed.
    """

    def __init__(
        self,
        store: Ledger,
        runs: RunStates,
        publisher: Publisher,
        *,
        clock: Clock,
        emit: Observer,
    ) -> None:
        self._store, self._runs, self._publisher, self._clock = store, runs, publisher, clock
        self.rewind = Rewind(emit)
        self.moves = SettledMoves(emit)
        self._rows = ByMoment()
        self._covers: datetime | None = None  # all rows due before it are kept; None: all rows
        self._known_at = 0.0  # `Clock.elapsed` when the rows were last known to be up to date
        self._limit, self._version = FEWEST_ROWS, ""
        self._waiting = NOTHING_WAITS
        self._held: set[str] | None = None  # entries whose plan waits for the end of a run
        self.is_stale = True
        self.is_prepared = False  # by this tick, for the next one

    def forget(self) -> None:
        """Delete all entries from memory, so that the next `read` reads them from the store."""
        self._rows, self._covers, self.is_stale, self._held = ByMoment(), None, True, None
        self.moves.forget()

    def read(self, now: datetime, waiting: Unapplied) -> None:
        """Read the entries that are due next from the store, if those in memory may be outdated.

        Entries in `waiting` must not run yet and are left out.
        """
        if self._must_read(now, waiting):
            self._read(now)

    def _must_read(self, now: datetime, waiting: Unapplied) -> bool:
        if waiting != self._waiting:
            self._waiting, self.is_stale = waiting, True
        if self.is_stale or self._is_exhausted(now):
            return True
        elapsed = self._clock.elapsed()
        if elapsed - self._known_at < (LOOK_EVERY - LOOK_BEFORE_DUE * 2).total_seconds():
            return False
        if self._covers is not None and self._covers <= now + LOOKAHEAD:
            return True
        version = self._store.version()
        known, self._version = self._version, version
        self._known_at = elapsed
        return version != known or self._ended()

    def _ended(self) -> bool:
        # Has a run ended, for whose end an entry waits?
        held = list(self._held or ())
        runs = self._runs.running(held) if held else {}
        return any(name not in runs or not runs[name].waits for name in held)

    def _read(self, now: datetime) -> None:
        self.is_stale = False
        limit, horizon, elapsed = self._limit, now + LOOKAHEAD, self._clock.elapsed()
        most = MOST_ROWS_WITH_WAITING if self._waiting else MOST_ROWS
        while True:
            found = rows = self._store.upcoming(limit)
            covers = found[-1].plan.due if len(found) >= limit else None
            if self._waiting:
                rows = [row for row in found if not self._waiting.waits(row.entry)]
            if covers is None or covers > horizon or limit >= most or len(rows) >= MOST_ROWS:
                break
            limit = min(limit * 10, most)
        if covers is not None and limit >= MOST_ROWS_WITH_WAITING:
            covers = max(covers, now + LOOK_EVERY)  # or the next look would be at once, in vain
        soon = sum(1 for row in found if row.plan.due is not None and row.plan.due <= horizon)
        # A power of two: a SQL store prepares and keeps a statement for each limit.
        self._limit = max(FEWEST_ROWS, min(limit, 1 << (soon * 2).bit_length()))
        before, self._rows = self._rows, ByMoment(rows)
        self._covers, self._known_at = covers, elapsed
        self.moves.read(rows)
        self._forget_entries(before.names(covers) - self._rows.names())  # removed, paused or later
        self.rewind.read(found, before)
        if self._held or self._held is None:
            runs = self._runs.running(None)
            self._held = {name for name, run in runs.items() if run.waits}

    def pop_due(self, now: datetime, limit: int) -> Sequence[Stored]:
        """Remove and return up to `limit` entries that are due at `now`, oldest first."""
        return self._with_running(self._rows.take(now, limit))

    def _with_running(self, rows: Sequence[Stored]) -> Sequence[Stored]:
        names = [row.entry.name for row in rows if row.entry.overlap != "allow"]
        if not names:
            return rows
        # A run may have ended since its entry was read.
        runs = self._runs.running(names)
        return [
            row if row.entry.overlap == "allow" else replace(row, running=runs.get(row.entry.name))
            for row in rows
        ]

    def move_on(self, due: Sequence[Stored], batches: Sequence[Published]) -> None:
        """Put the entries of `due` back into memory for their next runs, after one run was sent.

        If the store refused a change, because an entry was edited, the next `read` reads all
        entries again.
        """
        rows, refused = {row.entry.name: row for row in due}, set[str]()
        for batch in batches:
            for move, ok in zip(batch.moves, batch.made, strict=True):
                if not ok:
                    refused.add(move.name)
                elif move.plan is not None and move.plan.planned is not None:
                    row = moved_on(rows[move.name], move)
                    if move.running is not None and move.run is None and self._held is not None:
                        self._held.add(move.name)
                    due_next = row.plan.due
                    if due_next and (self._covers is None or due_next < self._covers):
                        self._rows.push(row)
                        self.moves.add(row)
        if refused:
            self.is_stale = True
            self._forget_entries(refused)

    def work_ahead(self, now: datetime, term: Term, dispatch: Dispatch, batch: BatchSize) -> bool:
        """Prepare the runs and messages of the next seconds while no run is due.

        If there are none, write postponed lines of history. Return True if there is more work of
        this kind to do now.
        """
        runs, more = self.moves.settle_ahead(now, now + LOOKAHEAD)
        self._publisher.prepare(runs)
        soonest = self._rows.soonest()
        if more or soonest is None or soonest - now > LOOK_BEFORE_DUE:
            return more or dispatch.write_history()
        moves = self.moves.of(self._with_running(self._rows.at(soonest, PREPARED_MOVES)))
        dispatch.prepare(batches_of(moves, batch.now, dispatch.first), term, soonest)
        self.is_prepared = True
        return False

    def _forget_entries(self, names: Collection[str]) -> None:
        if names:
            gone = list(names)
            self._publisher.forget(gone)
            self._store.drop_cached(gone)
            for name in gone:
                self.moves.forget_fault(name)

    def next_look(self, now: datetime) -> datetime:
        """Return the moment at which the scheduler next has work to do; the moment may be `now`."""
        if self.is_stale or self._is_exhausted(now):
            return now
        known_for = timedelta(seconds=self._clock.elapsed() - self._known_at)
        again = now + max(LOOK_BEFORE_DUE, LOOK_EVERY - known_for)
        soonest = self._rows.soonest()
        if soonest is None:
            return again
        before = soonest - LOOK_BEFORE_DUE
        return min(again, soonest if before <= now else before)

    def _is_exhausted(self, now: datetime) -> bool:
        return self._covers is not None and self._covers <= now and self._rows.soonest() is None


def moved_on(row: Stored, move: Move) -> Stored:
    """Return a stored entry as it is after the change `move` was written to the store."""
    assert move.plan is not None, "a move of the plan leads somewhere"
    runs = row.runs + move.counts
    return Stored(row.entry, row.revision, row.paused, move.plan, runs, row.plan.planned)
