"""Check and change which runs are running while new runs of their entries are reserved.

If the runs of all these entries may overlap, no SQL statement is sent.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from beatd.ledger import Move
from beatd.run import micros
from beatd.stores.sql.running_runs import RunningRow, RunningRuns


class RunningMoves:
    """The running runs of the entries in one batch of changes, for entries whose runs must not
    overlap.

    `make` changes them in memory, once for each change of the batch; `write` writes the result. The
    constructor locks the entries' rows.
    """

    def __init__(
        self, runs: RunningRuns, connection: Connection, moves: Sequence[Move], at: int
    ) -> None:
        self._runs, self._connection, self._at = runs, connection, at
        self._before: dict[str, RunningRow] = {}
        self._now: dict[str, RunningRow] = {}
        self._due: set[str] = set()
        names = {move.name for move in moves if move.running is not None}
        if names:
            # All plans at once, in the order of names: else two claims could wait for each other.
            runs.lock(connection, {move.name for move in moves})
            self._before = {row.name: row for row in runs.rows(connection, names)}
            self._now = dict(self._before)

    def allow(self, move: Move) -> bool:
        """Return True if the entry's running run is still the one from which the change was
        computed.

        Return False, too, if the change requires that the run is over, but it still counts as
        running.
        """
        change, row = move.running, self._now.get(move.name)
        if change is None or row is None:
            return change is None or not change.seen
        return change.seen == row.task_id and not (change.is_over and row.until > self._at)

    def make(self, move: Move) -> None:
        """Change in memory, not yet in the database, which run of an entry is running."""
        change, name = move.running, move.name
        if change is None:
            return
        # Only a move of the plan decides whether the plan waits; after others it waits as before.
        of_plan = move.of == "plan"
        row = self._now.get(name)
        if change.ends and row is not None:
            del self._now[name]
            if row.waits and not of_plan:
                self._due.add(name)
            row = None
        waits = 0 if row is None or of_plan else row.waits
        until = None if change.until is None else micros(change.until)
        if move.run is not None and until is not None:
            task_id = move.run.task_id
            since = row.since if row is not None and row.task_id == task_id else self._at
            self._now[name] = RunningRow(name, task_id, since, until, waits)
        elif row is not None:
            waits = int(until is not None) if of_plan else waits
            until = row.until if until is None else until
            self._now[name] = RunningRow(name, row.task_id, row.since, until, waits)

    def write(self) -> None:
        """Write which runs are running to the database, if this has changed.

        An entry that waited for a run that ended is due now.
        """
        before, now = self._before, self._now
        self._runs.delete(self._connection, before.keys() - now.keys())
        changed = [row for name, row in now.items() if before.get(name) != row]
        self._runs.write(self._connection, changed)
        self._runs.make_due(self._connection, self._due, self._at)
