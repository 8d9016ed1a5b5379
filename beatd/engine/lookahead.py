"""How far the plan is read ahead, when it is read again, and what is done before the moment.

What was read may be stale at any time and that is safe: a claim compares the row with what was
read.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from beatd.catalog import Stored
from beatd.clock import Clock
from beatd.engine.by_moment import ByMoment
from beatd.engine.dispatch import Published
from beatd.engine.rewind import Rewind
from beatd.engine.settled_moves import SettledMoves
from beatd.engine.unapplied import NOTHING_WAITS, Unapplied
from beatd.events import Observer
from beatd.ledger import Ledger, Move
from beatd.publisher import Publisher

LOOKAHEAD = timedelta(seconds=2)
LOOK_EVERY = timedelta(seconds=1)  # edits are noticed within this, where the store cannot tell
LOOK_BEFORE_DUE = timedelta(milliseconds=25)  # whether what was read still holds
FEWEST_ROWS, MOST_ROWS = 16, 20_000  # read at once
MOST_ROWS_WITH_WAITING = 200_000  # where some wait: they lie before those that do not
PREPARED_MOVES = 875  # in the last moment before they are due; more would take half of that
FAR_PAST = float("-inf")


class Lookahead:
    """The next rows by due moment: the plan up to `covers`, or all of it when that is None."""

    def __init__(
        self, store: Ledger, publisher: Publisher, *, clock: Clock, tell: Observer
    ) -> None:
        self._store, self._publisher, self._clock = store, publisher, clock
        self._rewind = Rewind(tell)
        self.moves = SettledMoves(tell)
        self._rows = ByMoment()
        self._covers: datetime | None = None
        self._known_at = FAR_PAST  # when what was read was last known to hold
        self._limit, self._version = FEWEST_ROWS, ""
        self._waiting = NOTHING_WAITS
        self.is_stale = True

    def forget(self) -> None:
        self._rows, self._covers, self._known_at = ByMoment(), None, FAR_PAST
        self.moves.forget()

    def read(self, now: datetime, waiting: Unapplied) -> None:
        """Read the next rows in place of those read before, if those may be out of date."""
        if self._must_read(now, waiting):
            self._read(now)

    def _must_read(self, now: datetime, waiting: Unapplied) -> bool:
        """True after an edit, when what was read runs out, and when the store has changed."""
        if waiting != self._waiting:
            self._waiting, self.is_stale = waiting, True
        if self.is_stale or self._known_at == FAR_PAST or self._is_exhausted(now):
            return True
        elapsed = self._clock.elapsed()
        if elapsed - self._known_at < (LOOK_EVERY - LOOK_BEFORE_DUE * 2).total_seconds():
            return False
        if self._covers is not None and self._covers <= now + LOOKAHEAD:
            return True
        version = self._store.version()
        known, self._version = self._version, version
        self._known_at = elapsed
        return version != known

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
        # Removed, paused, or due later than before.
        self._forget_entries(before.names(covers) - self._rows.names())
        self._rewind.read(found, now)

    def take_due(self, now: datetime, limit: int) -> list[Stored]:
        """Remove and return the rows that are due, oldest first."""
        return self._rows.take(now, limit)

    def move_on(self, due: Sequence[Stored], batches: Sequence[Published]) -> None:
        """Keep rows that moved on for their next moment; forget those that were not as read."""
        rows, newest, refused = {row.entry.name: row for row in due}, None, set[str]()
        for batch in batches:
            for move, ok in zip(batch.moves, batch.made, strict=True):
                if not ok:
                    refused.add(move.name)
                elif move.plan is not None and move.plan.planned is not None:
                    newest = moved_on(rows[move.name], move)
                    due_next = newest.plan.due
                    if due_next and (self._covers is None or due_next < self._covers):
                        self._rows.push(newest)
                        self.moves.add(newest)
        if refused:
            self.is_stale = True
            self._forget_entries(refused)
        if newest is not None:
            self._rewind.claimed(newest)

    def settle_ahead(self, now: datetime) -> bool:
        """Settle some rows and render their messages ahead. True if there are more."""
        runs, more = self.moves.settle_ahead(now, now + LOOKAHEAD)
        self._publisher.prepare(runs)
        return more

    def next_batch(self, now: datetime) -> tuple[datetime, Sequence[Move]] | None:
        """The moves that were settled for the next moment, when that is only milliseconds away."""
        soonest = self._rows.soonest()
        if soonest is None or soonest - now > LOOK_BEFORE_DUE:
            return None
        return soonest, self.moves.of(self._rows.at(soonest, PREPARED_MOVES))

    def _forget_entries(self, names: Collection[str]) -> None:
        """Forget entries that may be gone; they leave nothing in a cache."""
        if names:
            gone = list(names)
            self._publisher.forget(gone)
            self._store.drop_cached(gone)
            self.moves.forget_faults(gone)

    def next_look(self, now: datetime) -> datetime:
        """When the next tick is worth its time, if nothing is left to do in this one."""
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
        """True if there may be due rows that were not read."""
        return self._covers is not None and self._covers <= now and self._rows.soonest() is None


def moved_on(row: Stored, move: Move) -> Stored:
    """Return the row as it is in the plan after its move."""
    assert move.plan is not None, "a move of the plan leads somewhere"
    runs = row.runs + move.counts
    return Stored(row.entry, row.revision, row.paused, move.plan, runs, row.plan.planned)
