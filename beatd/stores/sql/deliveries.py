"""Read and write the deliveries of runs, and the newest outcome of each entry. A thousand need only
a few statements."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from msgspec import json
from sqlalchemy import Connection, and_, select, tuple_, update
from sqlalchemy import delete as deletion

from beatd.outcome import DELIVERY_ENDS, Delivery, EntryOutcome
from beatd.run import micros, moment_of
from beatd.stores.damage import Damage
from beatd.stores.outcome_fold import known_since
from beatd.stores.sql.dialect import Dialect, Kind, literally
from beatd.stores.sql.tables import delivery, entry_outcome, plan

COLUMNS: dict[str, Kind] = {
    "task_id": "text",
    "delivery": "text",
    "name": "text",
    "planned": "int",
    "state": "text",
    "at": "int",
    "worker": "text",
    "received": "int",
    "started": "int",
    "finished": "int",
    "error": "text",
    "live_since": "int",
}
KEY = ("task_id", "delivery")
CHANGED = ("state", "at", "worker", "received", "started", "finished", "error", "live_since")
OUTCOME: dict[str, Kind] = {
    "name": "text",
    "failures": "int",
    "successes": "int",
    "last_success": "int",
    "first": "int",
    "newest": "text",
}
LONGEST_TEXT = 10_000  # characters


class Deliveries:
    """Reads and writes the tables of deliveries and of the entries' outcomes."""

    def __init__(self, dialect: Dialect, damage: Damage) -> None:
        self._dialect, self._damage = dialect, damage
        tasks = self._tasks = dialect.batch(task_id="text")
        self._of_runs = select(delivery).join(tasks.relation, tasks.c.task_id == delivery.c.task_id)
        self._locked = self._of_runs.order_by(
            delivery.c.task_id, delivery.c.delivery
        ).with_for_update(of=delivery)
        self._live = (
            select(delivery)
            .where(delivery.c.live_since.is_not(None))
            .order_by(delivery.c.live_since)
        )
        v = self._rows = dialect.batch(**COLUMNS)
        self._update = (
            update(delivery)
            .where(and_(*(delivery.c[name] == v.c[name] for name in KEY)))
            .values({name: v.c[name] for name in CHANGED})
        )
        names = self._names = dialect.batch(name="text")
        self._of_entries = select(entry_outcome).join(
            names.relation, names.c.name == entry_outcome.c.name
        )
        self._locked_outcomes = self._of_entries.order_by(entry_outcome.c.name).with_for_update(
            of=entry_outcome
        )
        v = self._outcomes = dialect.batch(**OUTCOME)
        self._update_outcomes = (
            update(entry_outcome)
            .where(entry_outcome.c.name == v.c.name)
            .values({name: v.c[name] for name in OUTCOME if name != "name"})
        )
        # An entry that was removed meanwhile has no outcome.
        cells = select(*(v.c[name] for name in OUTCOME)).join(plan, plan.c.name == v.c.name)
        self._insert_outcomes = entry_outcome.insert().from_select(list(OUTCOME), cells)

    def of_runs(
        self, connection: Connection, task_ids: Iterable[str], *, lock: bool = False
    ) -> list[Delivery]:
        """Return the deliveries of these runs; if `lock` is True, lock their rows until the
        commit."""
        bound = self._tasks.bind([[task_id] for task_id in sorted(set(task_ids))])
        rows = connection.execute(self._locked if lock else self._of_runs, bound)
        return self._read(rows)

    def live(self, connection: Connection, limit: int) -> list[Delivery]:
        """Return up to `limit` deliveries that have not ended, oldest first."""
        return self._read(connection.execute(self._live.limit(literally(limit))))

    def write(
        self, connection: Connection, new: Iterable[Delivery], known: Iterable[Delivery]
    ) -> None:
        """Insert the `new` deliveries and update the `known` ones."""
        rows = _sorted_rows(new)
        if rows:
            self._dialect.insert(connection, delivery.name, COLUMNS, rows)
        rows = _sorted_rows(known)
        if rows:
            connection.execute(self._update, self._rows.bind(rows))

    def delete_oldest(
        self, connection: Connection, before: int, cutoff: tuple[int, str, str] | None, limit: int
    ) -> int:
        """Delete, among the `limit` deliveries with the oldest reports, those from before `before`
        and those up to the `cutoff`; return their number."""
        cells = delivery.c.at, delivery.c.task_id, delivery.c.delivery
        oldest = connection.execute(select(*cells).order_by(*cells).limit(literally(limit)))
        old = [
            (row.task_id, row.delivery)
            for row in oldest
            if row.at < before or (cutoff is not None and tuple(row) <= cutoff)
        ]
        if old:
            key = tuple_(delivery.c.task_id, delivery.c.delivery)
            connection.execute(deletion(delivery).where(key.in_(old)))
        return len(old)

    def newest_beyond(self, connection: Connection, keep: int) -> tuple[int, str, str] | None:
        """Return the key of the newest delivery that must be deleted so that the newest `keep`
        stay; None if none must be."""
        cells = delivery.c.at, delivery.c.task_id, delivery.c.delivery
        newest = select(*cells).order_by(*(cell.desc() for cell in cells))
        row = connection.execute(newest.offset(keep).limit(literally(1))).one_or_none()
        return None if row is None else (row.at, row.task_id, row.delivery)

    def outcomes(
        self, connection: Connection, names: Iterable[str] | None, *, lock: bool = False
    ) -> dict[str, EntryOutcome]:
        """Return the outcomes of these entries, or of all (None), by name; if `lock` is True, lock
        their rows until the commit."""
        if names is None:
            rows = connection.execute(select(entry_outcome))
        else:
            bound = self._names.bind([[name] for name in sorted(set(names))])
            rows = connection.execute(self._locked_outcomes if lock else self._of_entries, bound)
        found = (
            self._damage.read(f"the outcome of entry {row.name!r}", partial(_outcome_of, row))
            for row in rows
        )
        return {outcome.name: outcome for outcome in found if outcome is not None}

    def write_outcomes(
        self, connection: Connection, new: Iterable[EntryOutcome], known: Iterable[EntryOutcome]
    ) -> None:
        """Insert the `new` outcomes, if there are such entries, and update the `known` ones."""
        for statement, outcomes in ((self._insert_outcomes, new), (self._update_outcomes, known)):
            rows = sorted(map(_outcome_row, outcomes), key=lambda row: row[0])
            if rows:
                connection.execute(statement, self._outcomes.bind(rows))

    def _read(self, rows: Iterable[Any]) -> list[Delivery]:
        read = (
            self._damage.read(f"a row of {delivery.name} of run {row.task_id}", partial(_of, row))
            for row in rows
        )
        return [one for one in read if one is not None]


def _sorted_rows(deliveries: Iterable[Delivery]) -> list[list[Any]]:
    """Return the rows, sorted by their keys, as two writers must lock them in one order."""
    return sorted((_row(one) for one in deliveries), key=lambda row: row[:2])


def _row(one: Delivery) -> list[Any]:
    since = None if one.state in DELIVERY_ENDS else micros(known_since(one))
    times = (
        None if moment is None else micros(moment)
        for moment in (one.received, one.started, one.finished)
    )
    # The words of a worker: PostgreSQL keeps no NUL, and MariaDB no long text in this column.
    worker, error = (words.replace("\0", "")[:LONGEST_TEXT] for words in (one.worker, one.error))
    planned, at = micros(one.planned), micros(one.at)
    return [
        one.task_id, one.delivery, one.name, planned, one.state, at, worker, *times, error, since,
    ]  # fmt: skip


def _of(row: Any) -> Delivery:
    received, started, finished = (
        None if moment is None else moment_of(moment)
        for moment in (row.received, row.started, row.finished)
    )
    return Delivery(
        task_id=row.task_id,
        delivery=row.delivery,
        name=row.name,
        planned=moment_of(row.planned),
        state=row.state,
        at=moment_of(row.at),
        worker=row.worker,
        received=received,
        started=started,
        finished=finished,
        error=row.error,
    )


def _outcome_row(outcome: EntryOutcome) -> list[Any]:
    assert outcome.first is not None, "an outcome was written at some time"
    return [
        outcome.name,
        outcome.failures,
        outcome.successes,
        None if outcome.last_success is None else micros(outcome.last_success),
        micros(outcome.first),
        json.encode(outcome.newest).decode(),
    ]


def _outcome_of(row: Any) -> EntryOutcome:
    return EntryOutcome(
        name=row.name,
        newest=json.decode(row.newest, type=Delivery),
        failures=row.failures,
        successes=row.successes,
        last_success=None if row.last_success is None else moment_of(row.last_success),
        first=moment_of(row.first),
    )
