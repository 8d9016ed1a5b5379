"""Store which run of each entry is running, for entries whose runs must not overlap.

A writer must first lock the entry's row in the plan table; every entry has one. So two claims of
one entry, or a claim and a report of an end, never change the row at the same time.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple, replace
from sqlalchemy import Connection, select, update

from beatd.run import EPOCH, Running, moment_of
from beatd.stores.damage import Damage
from beatd.stores.sql.dialect import Dialect, Kind, deletion
from beatd.stores.sql.tables import plan, running

COLUMNS: dict[str, Kind] = {
    "name": "text",
    "task_id": "text",
    "since": "int",
    "until": "int",
    "waits": "int",
}
CHUNK = 1_000


class RunningRow(Struct, frozen=True, array_like=True):
    """A table row that says which run of an entry is running; times are in microseconds since
    1970."""

    name: str
    task_id: str
    since: int
    until: int
    waits: int = 0


class RunningRuns:
    def __init__(self, dialect: Dialect, damage: Damage) -> None:
        self._dialect, self._damage = dialect, damage
        names = self._names = dialect.batch(name="text")
        tasks = self._tasks = dialect.batch(task_id="text")
        dues = self._dues = dialect.batch(name="text", due="int")
        cells = [running.c[name] for name in COLUMNS]
        self._all = select(*cells)
        self._by_name = self._all.join(names.relation, names.c.name == running.c.name)
        self._by_task = self._all.join(tasks.relation, tasks.c.task_id == running.c.task_id)
        self._lock = (
            select(plan.c.name)
            .join(names.relation, names.c.name == plan.c.name)
            .order_by(plan.c.name)
            .with_for_update(of=plan)
        )
        self._delete = deletion(dialect, running, names)
        # A paused or disabled entry has no due moment, and the condition does not hold.
        is_later = (plan.c.name == dues.c.name) & (plan.c.due > dues.c.due)
        self._due_earlier = update(plan).where(is_later).values(due=dues.c.due)

    def runs(self, connection: Connection, names: Iterable[str] | None) -> dict[str, Running]:
        """Return the running run of each of these entries, by name; `names` None means all entries.

        A damaged row is logged, and its run counts as ended.
        """
        if names is None:
            rows = self._rows(connection.execute(self._all))
        else:
            rows = self.rows(connection, names)
        return {row.name: self._run(row) for row in rows}

    def _run(self, row: RunningRow) -> Running:
        def read() -> Running:
            since, until = moment_of(row.since), moment_of(row.until)
            return Running(row.task_id, since, until, bool(row.waits))

        found = self._damage.read(f"the running run of entry {row.name!r}", read)
        # An impossible moment lets the run end, so that the entry can run again.
        return found or Running(row.task_id, EPOCH, EPOCH)

    def rows(self, connection: Connection, names: Iterable[str]) -> list[RunningRow]:
        found: list[RunningRow] = []
        wanted = sorted(set(names))
        for start in range(0, len(wanted), CHUNK):
            bound = self._names.bind([[name] for name in wanted[start : start + CHUNK]])
            found += self._rows(connection.execute(self._by_name, bound))
        return found

    def lock(self, connection: Connection, names: Iterable[str]) -> None:
        """Lock these entries until the commit, so that no other process changes when they run."""
        # Sorted, so that two writers cannot block each other.
        bound = self._names.bind([[name] for name in sorted(set(names))])
        connection.execute(self._lock, bound).all()

    def delete(self, connection: Connection, names: Collection[str]) -> None:
        if names:
            connection.execute(self._delete, self._names.bind([[name] for name in sorted(names)]))

    def write(self, connection: Connection, rows: Sequence[RunningRow]) -> None:
        """Insert these rows, each in place of an older row of the same entry."""
        if rows:
            cells = [astuple(row) for row in sorted(rows, key=lambda row: row.name)]
            self._dialect.rewrite(connection, running.name, COLUMNS, ("name",), cells)

    def end(self, connection: Connection, task_ids: Iterable[str], at: int) -> None:
        """Mark the runs with these task ids as ended.

        An entry that waited for one is due at `at` (microseconds since 1970).
        """
        ended = self._locked(connection, task_ids)
        self.delete(connection, [row.name for row in ended])
        self.make_due(connection, [row.name for row in ended if row.waits], at)

    def prolong(self, connection: Connection, task_ids: Iterable[str], until: int) -> None:
        """Let these runs count as running until `until` (microseconds since 1970) or later."""
        found = self._locked(connection, task_ids)
        shorter = [row for row in found if row.until < until]
        self.write(connection, [replace(row, until=until) for row in shorter])

    def make_due(self, connection: Connection, names: Iterable[str], at: int) -> None:
        """Let these entries run at the time `at`, in microseconds since 1970, unless they run
        earlier.

        Paused and disabled entries are not changed. All processes are notified.
        """
        rows = [[name, at] for name in sorted(names)]
        if rows and connection.execute(self._due_earlier, self._dues.bind(rows)).rowcount:
            self._dialect.notify(connection)

    def forget_waits(
        self, connection: Connection, planned: Collection[str], allowed: Collection[str]
    ) -> None:
        """Let entries that were edited no longer wait for the end of their running runs.

        An entry in `planned` has a new plan; any other that waited is due at once. Running runs of
        the entries in `allowed`, whose runs may overlap now, are deleted. The caller must have
        locked the entries.
        """
        found = self.rows(connection, {*planned, *allowed})
        waiting = [row for row in found if row.waits]
        stay = [row for row in waiting if row.name not in allowed]
        self.delete(connection, [row.name for row in found if row.name in allowed])
        self.write(connection, [replace(row, waits=0) for row in stay])
        due = [row.name for row in waiting if row.name not in planned]
        if due:
            self.make_due(connection, due, self._dialect.now(connection))

    def _locked(self, connection: Connection, task_ids: Iterable[str]) -> list[RunningRow]:
        wanted = set(task_ids)
        bound = self._tasks.bind([[task_id] for task_id in sorted(wanted)])
        found = self._rows(connection.execute(self._by_task, bound)) if wanted else []
        if not found:
            # Read again: before the lock, another process may have changed them.
            return []
        names = sorted(row.name for row in found)
        self.lock(connection, names)
        return [row for row in self.rows(connection, names) if row.task_id in wanted]

    def _rows(self, rows: Iterable[Any]) -> list[RunningRow]:
        return [RunningRow(*row) for row in rows]
