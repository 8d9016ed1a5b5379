"""Store what workers report about runs, and how the newest run of each entry ended.

A delivery is one transfer of a run's message to a worker. A thousand rows need only a few SQL
statements.
"""

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any, get_args

from msgspec import json
from sqlalchemy import Connection, and_, or_, select
from sqlalchemy import delete as deletion

from beatd.outcome import DELIVERY_ENDS, Delivery, EntryOutcome, OutcomeState
from beatd.run import micros, moment_of
from beatd.run_outcome import known_since
from beatd.stores.damage import Damage
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
OUTCOME: dict[str, Kind] = {
    "name": "text",
    "failures": "int",
    "successes": "int",
    "last_success": "int",
    "first": "int",
    "newest": "text",
}
LONGEST_TEXT = 10_000  # characters
STATES = frozenset(get_args(OutcomeState))


class Deliveries:
    """Reads and writes workers' reports about runs, and how the newest run of each entry ended.

    Each report is about a delivery: one transfer of a run's message to a worker.
    """

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
        names = self._names = dialect.batch(name="text")
        self._of_entries = select(entry_outcome).join(
            names.relation, names.c.name == entry_outcome.c.name
        )
        self._locked_outcomes = self._of_entries.order_by(entry_outcome.c.name).with_for_update(
            of=entry_outcome
        )
        v = self._outcomes = dialect.batch(**OUTCOME)
        # An entry that was removed meanwhile has no outcome.
        cells = select(*(v.c[name] for name in OUTCOME)).join(plan, plan.c.name == v.c.name)
        self._insert_outcomes = entry_outcome.insert().from_select(list(OUTCOME), cells)

    def of_runs(
        self, connection: Connection, task_ids: Iterable[str], *, lock: bool = False
    ) -> list[Delivery]:
        """Return what workers reported about the runs with these task ids.

        Each value is one delivery: a transfer of a run's message to a worker. `lock=True` locks the
        rows until the commit. A damaged row is logged and left out.
        """
        bound = self._tasks.bind([[task_id] for task_id in sorted(set(task_ids))])
        return self._read(connection.execute(self._locked if lock else self._of_runs, bound).all())

    def live(self, connection: Connection, limit: int) -> list[Delivery]:
        """Return up to `limit` runs that workers have received and not ended, oldest first."""
        return self._read(connection.execute(self._live.limit(literally(limit))))

    def write(
        self, connection: Connection, new: Iterable[Delivery], known: Iterable[Delivery]
    ) -> None:
        """Insert the `new` reports of workers about runs, and update the `known` ones.

        The caller must have locked the rows of the known ones.
        """
        rows = _sorted_rows(new)
        if rows:
            self._dialect.insert(connection, delivery.name, COLUMNS, rows)
        rows = _sorted_rows(known)
        if rows:
            self._dialect.rewrite(connection, delivery.name, COLUMNS, KEY, rows)

    def delete_oldest(
        self, connection: Connection, before: int, cutoff: tuple[int, str, str] | None, limit: int
    ) -> int:
        """Delete old worker reports, at most `limit` of them, and return how many were deleted.

        A report is old if it was written earlier than `before` (microseconds since 1970), or if its
        key (report time, task id, delivery id) is `cutoff` or sorts before it.
        """
        cells = delivery.c.at, delivery.c.task_id, delivery.c.delivery
        oldest = connection.execute(select(*cells).order_by(*cells).limit(literally(limit)))
        old = [row for row in oldest if _is_old(row, before, cutoff)]
        if old:
            # A range of the index, and no list of keys: MariaDB would read the whole table for it.
            at, task_id, key = old[-1]
            of_run = and_(delivery.c.task_id == task_id, delivery.c.delivery <= key)
            of_moment = or_(delivery.c.task_id < task_id, of_run)
            up_to_it = and_(delivery.c.at <= at, or_(delivery.c.at < at, of_moment))
            connection.execute(deletion(delivery).where(up_to_it))
        return len(old)

    def newest_beyond(self, connection: Connection, keep: int) -> tuple[int, str, str] | None:
        """Return the key of the newest report that must be deleted to keep only the newest `keep`
        reports.

        The key is (report time, task id, delivery id). Return None if there are no more than
        `keep`.
        """
        cells = delivery.c.at, delivery.c.task_id, delivery.c.delivery
        newest = select(*cells).order_by(*(cell.desc() for cell in cells))
        row = connection.execute(newest.offset(keep).limit(literally(1))).one_or_none()
        return None if row is None else (row.at, row.task_id, row.delivery)

    def outcomes(
        self, connection: Connection, names: Iterable[str] | None, *, lock: bool = False
    ) -> dict[str, EntryOutcome]:
        """Return how the newest run of each of these entries ended, by name; `names` None means
        all.

        `lock=True` locks the rows of the given names until the commit. A damaged row is logged and
        left out.
        """
        if names is None:
            rows = connection.execute(select(entry_outcome)).all()
        else:
            bound = self._names.bind([[name] for name in sorted(set(names))])
            statement = self._locked_outcomes if lock else self._of_entries
            rows = connection.execute(statement, bound).all()
        return self._outcomes_of(rows)

    def outcomes_in(
        self, connection: Connection, states: Collection[OutcomeState]
    ) -> dict[str, EntryOutcome]:
        """Return the newest outcome of each entry whose newest delivery is in one of these states,
        by name."""
        statement = select(entry_outcome)
        if "succeeded" not in states:
            # Most entries succeeded, and to search one word in all texts takes a tenth of the time
            # to decode them.
            statement = statement.where(~entry_outcome.c.newest.contains('"state":"succeeded"'))
        found = self._outcomes_of(connection.execute(statement))
        return {name: one for name, one in found.items() if one.newest.state in states}

    def _outcomes_of(self, rows: Iterable[Any]) -> dict[str, EntryOutcome]:
        found = (
            self._damage.read(f"the outcome of entry {row.name!r}", partial(_outcome_of, row))
            for row in rows
        )
        return {outcome.name: outcome for outcome in found if outcome is not None}

    def write_outcomes(
        self, connection: Connection, new: Iterable[EntryOutcome], known: Iterable[EntryOutcome]
    ) -> None:
        """Insert the `new` outcomes of entries, and update the `known` ones.

        The outcome of a removed entry is ignored. The caller must have locked the known rows.
        """
        rows = sorted(map(_outcome_row, new), key=_name)
        if rows:
            connection.execute(self._insert_outcomes, self._outcomes.bind(rows))
        rows = sorted(map(_outcome_row, known), key=_name)
        if rows:
            self._dialect.rewrite(connection, entry_outcome.name, OUTCOME, ("name",), rows)

    def _read(self, rows: Iterable[Any]) -> list[Delivery]:
        read = (
            self._damage.read(f"a row of {delivery.name} of run {row.task_id}", partial(_of, row))
            for row in rows
        )
        return [one for one in read if one is not None]


def _name(row: list[Any]) -> Any:
    return row[0]


def _sorted_rows(deliveries: Iterable[Delivery]) -> list[list[Any]]:
    # Sorted by key: so all writers lock rows in the same order and cannot block each other.
    return sorted((_row(one) for one in deliveries), key=lambda row: row[:2])


def _row(one: Delivery) -> list[Any]:
    return [
        one.task_id,
        one.delivery,
        one.name,
        micros(one.planned),
        one.state,
        micros(one.at),
        _kept(one.worker),
        None if one.received is None else micros(one.received),
        None if one.started is None else micros(one.started),
        None if one.finished is None else micros(one.finished),
        _kept(one.error),
        None if one.state in DELIVERY_ENDS else micros(known_since(one)),
    ]


def _kept(words: str) -> str:
    # PostgreSQL cannot store a NUL, and MariaDB no long text in this column.
    return words.replace("\0", "")[:LONGEST_TEXT]


def _of(row: Any) -> Delivery:
    # One by one, the columns of a row take half of the time.
    task_id, key, name, planned, state, at, worker, received, started, finished, error, _ = row
    if state not in STATES:
        raise ValueError(f"{state!r} is no state")
    if not (type(task_id) is type(key) is type(name) is type(worker) is type(error) is str):
        raise TypeError("a text is none")  # SQLite keeps any value in any column
    return Delivery(
        task_id=task_id,
        delivery=key,
        name=name,
        planned=moment_of(planned),
        state=state,
        at=moment_of(at),
        worker=worker,
        received=None if received is None else moment_of(received),
        started=None if started is None else moment_of(started),
        finished=None if finished is None else moment_of(finished),
        error=error,
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
    if not (isinstance(row.failures, int) and isinstance(row.successes, int)):
        raise TypeError("a number is none")
    return EntryOutcome(
        name=row.name,
        newest=json.decode(row.newest, type=Delivery),
        failures=row.failures,
        successes=row.successes,
        last_success=None if row.last_success is None else moment_of(row.last_success),
        first=moment_of(row.first),
    )


def _is_old(row: Any, before: int, cutoff: tuple[int, str, str] | None) -> bool:
    try:
        return bool(row.at < before or (cutoff is not None and tuple(row) <= cutoff))
    except TypeError:
        return False  # a value of another type, which SQLite allows: the row is left where it is
