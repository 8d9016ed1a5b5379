"""Open claims: one row for each claimed batch, rewritten only when a part of it ends otherwise.

Opening and closing a thousand claims as rows of their own would cost more than all the rest of a
batch, and leave the database as many dead rows to clean away. The process that made a batch
remembers what it wrote, so that closing it whole is one statement and no read.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from secrets import randbits
from threading import Lock
from typing import Any

from msgspec import Struct, json
from sqlalchemy import Connection, Row, bindparam, or_, select

from beatd.run import Run, micros, moment_of
from beatd.stores.damage import Damage
from beatd.stores.sql.tables import claim

REMEMBERED = 64


class Open(Struct, frozen=True, array_like=True):
    """One run between claim and record, as the batch's row holds it."""

    name: str
    planned: int
    request: str
    task_id: str
    due: int
    unsent: int = 0


class OpenBatch(Struct, frozen=True):
    id: int
    version: int
    claimed_at: int
    term: int
    runs: dict[str, Open]  # by task id, in the order of the claim


DECODER = json.Decoder(list[Open])
UNKNOWN = (
    select(claim)
    .where(or_(claim.c.claimed_at < bindparam("before"), claim.c.unsent > 0))
    .order_by(claim.c.claimed_at, claim.c.id)
)
MINE = (claim.c.id == bindparam("batch_id"), claim.c.version == bindparam("seen"))


def of_run(run: Run) -> Open:
    what = run.occurrence
    planned = micros(what.planned)
    due = planned if run.due is what.planned else micros(run.due)
    return Open(what.name, planned, what.request, run.task_id, due)


def batch_of(row: Row[Any]) -> OpenBatch:
    runs = {one.task_id: one for one in DECODER.decode(row.runs)}
    moment_of(row.claimed_at)  # raises for a moment that cannot be
    return OpenBatch(row.id, row.version, row.claimed_at, row.term, runs)


class Claims:
    """The open batches, and this process's memory of those it wrote."""

    def __init__(self, damage: Damage) -> None:
        self._damage = damage
        self._lock = Lock()
        self._mine: dict[int, OpenBatch] = {}
        self._batch_of: dict[str, int] = {}

    def opened(
        self, connection: Connection, runs: Sequence[Run], claimed_at: int, term: int
    ) -> OpenBatch:
        held = {run.task_id: of_run(run) for run in runs}
        batch = OpenBatch(randbits(62), 1, claimed_at, term, held)
        connection.execute(INSERT, _values(batch))
        return batch

    def remember(self, batch: OpenBatch) -> None:
        with self._lock:
            while len(self._mine) >= REMEMBERED:
                self._drop(next(iter(self._mine)))
            self._mine[batch.id] = batch
            self._batch_of.update(dict.fromkeys(batch.runs, batch.id))

    def forget(self, batches: Iterable[int]) -> None:
        with self._lock:
            for batch_id in batches:
                self._drop(batch_id)

    def _drop(self, batch_id: int) -> None:
        batch = self._mine.pop(batch_id, None)
        for task_id in batch.runs if batch else ():
            if self._batch_of.get(task_id) == batch_id:
                del self._batch_of[task_id]

    def remembered(self, task_ids: Iterable[str]) -> list[OpenBatch]:
        with self._lock:
            ids = dict.fromkeys(self._batch_of.get(task_id) for task_id in task_ids)
            return [self._mine[batch_id] for batch_id in ids if batch_id is not None]

    def locked(
        self, connection: Connection, claimed_at: Collection[int] | None = None
    ) -> list[OpenBatch]:
        """All open batches, or those made at these moments, kept from others until the commit."""
        statement = select(claim).order_by(claim.c.id).with_for_update()
        if claimed_at is not None:
            statement = statement.where(claim.c.claimed_at.in_(sorted(claimed_at)))
        return self._read(connection.execute(statement))

    def rewritten(self, connection: Connection, batch: OpenBatch, left: dict[str, Open]) -> bool:
        """The batch holds what is left, and is gone with the last; False if it is not as seen."""
        seen = {"batch_id": batch.id, "seen": batch.version}
        if not left:
            return bool(connection.execute(DELETE, seen).rowcount)
        after = OpenBatch(batch.id, batch.version + 1, batch.claimed_at, batch.term, left)
        values = {name: value for name, value in _values(after).items() if name != "id"}
        return bool(connection.execute(UPDATE, {**values, **seen}).rowcount)

    def unknown(self, connection: Connection, before: int) -> list[OpenBatch]:
        """Batches made before that moment, or with something unsent; oldest first."""
        return self._read(connection.execute(UNKNOWN, {"before": before}))

    def all(self, connection: Connection) -> list[OpenBatch]:
        return self._read(connection.execute(select(claim)))

    def _read(self, rows: Iterable[Row[Any]]) -> list[OpenBatch]:
        """Without damaged ones, which are reported: what became of their runs is not known."""
        read = (
            self._damage.read(f"the row {row.id} of beatd_claim", partial(batch_of, row))
            for row in rows
        )
        return [batch for batch in read if batch is not None]


INSERT = claim.insert()
DELETE = claim.delete().where(*MINE)
UPDATE = (
    claim.update()
    .where(*MINE)
    .values(
        {
            column: bindparam(column.name)
            for column in (claim.c.version, claim.c.claimed_at, claim.c.term)
        }
    )
    .values(unsent=bindparam("unsent"), runs=bindparam("runs"))
)


def _values(batch: OpenBatch) -> dict[str, Any]:
    runs = list(batch.runs.values())
    return {
        "id": batch.id,
        "version": batch.version,
        "claimed_at": batch.claimed_at,
        "term": batch.term,
        "unsent": sum(run.unsent for run in runs),
        "runs": json.encode(runs).decode(),
    }
