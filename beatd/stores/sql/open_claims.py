"""Store which runs a daemon has reserved for sending and not yet recorded as sent.

Each reserved batch is one row, deleted when all its runs are recorded; a row for each run would
cost more than the rest of the batch. The process that wrote a batch remembers it, and so deletes it
with one statement and no read.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from secrets import randbits
from threading import Lock
from typing import Any

from msgspec import Struct, json
from sqlalchemy import Connection, Row, bindparam, or_, select

from beatd.run import Origin, Run, micros, moment_of
from beatd.stores.damage import Damage
from beatd.stores.sql.tables import claim

MOST_REMEMBERED_BATCHES = 64
ORIGINS: tuple[Origin, ...] = ("planned", "trigger", "backfill", "catch-up", "resend")
PLACES = {origin: place for place, origin in enumerate(ORIGINS)}


class Open(Struct, frozen=True, array_like=True):
    """A run that is reserved but has no recorded result yet, in the form in which it is stored.

    A table row contains all runs that were reserved together. Times are in microseconds since 1970.
    `unsent` is 1 if the message was certainly not sent. `origin` is an index of `ORIGINS`.
    """

    name: str
    planned: int
    request: str
    task_id: str
    due: int
    unsent: int = 0
    origin: int = 0  # older programs ignore it


class OpenBatch(Struct, frozen=True):
    """A batch of runs that a daemon reserved together and whose results are not recorded yet.

    `claimed_at` is when, in microseconds since 1970; `version` grows with each rewrite of the row.
    """

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
    """Convert a reserved run to the form in which it is stored."""
    what = run.occurrence
    planned = micros(what.planned)
    due = planned if run.due is what.planned else micros(run.due)
    return Open(what.name, planned, what.request, run.task_id, due, 0, PLACES[run.origin])


def origin_of(run: Open) -> Origin:
    """Return why a reserved run exists, such as "backfill", or "planned" if this is unknown."""
    return ORIGINS[run.origin] if 0 <= run.origin < len(ORIGINS) else "planned"


def batch_of(row: Row[Any]) -> OpenBatch:
    """Decode a batch of reserved runs from its table row. Raises ValueError if the row is
    damaged."""
    runs = {one.task_id: one for one in DECODER.decode(row.runs)}
    moment_of(row.claimed_at)  # raises for an impossible moment
    return OpenBatch(row.id, row.version, row.claimed_at, row.term, runs)


class Claims:
    """Reads and writes the table of runs that are reserved for sending and not recorded yet.

    Each row is a batch of runs. The last 64 batches that this process wrote are remembered.
    """

    def __init__(self, damage: Damage) -> None:
        self._damage = damage
        self._lock = Lock()
        self._mine: dict[int, OpenBatch] = {}
        self._batch_of: dict[str, int] = {}

    def opened(
        self, connection: Connection, runs: Sequence[Run], claimed_at: int, term: int
    ) -> OpenBatch:
        """Store that these runs were reserved together for sending, and return them as a batch.

        `claimed_at` is the time in microseconds since 1970.
        """
        held = {run.task_id: of_run(run) for run in runs}
        batch = OpenBatch(randbits(62), 1, claimed_at, term, held)
        connection.execute(INSERT, _values(batch))
        return batch

    def remember(self, batch: OpenBatch) -> None:
        """Remember a batch that this process has stored, so that it need not be read to delete it.

        Only the last 64 are remembered.
        """
        with self._lock:
            while len(self._mine) >= MOST_REMEMBERED_BATCHES:
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
        """Return the batches stored by this process that contain a run with one of these task ids.

        Only the last 64 batches are remembered.
        """
        with self._lock:
            ids = dict.fromkeys(self._batch_of.get(task_id) for task_id in task_ids)
            return [self._mine[batch_id] for batch_id in ids if batch_id is not None]

    def locked(
        self, connection: Connection, claimed_at: Collection[int] | None = None
    ) -> list[OpenBatch]:
        """Return all batches of reserved runs, and lock their rows until the commit.

        If `claimed_at` is given, return only batches reserved at these times (microseconds since
        1970). A damaged row is logged and left out.
        """
        statement = select(claim).order_by(claim.c.id).with_for_update()
        if claimed_at is not None:
            statement = statement.where(claim.c.claimed_at.in_(sorted(claimed_at)))
        return self._read(connection.execute(statement))

    def rewritten(self, connection: Connection, batch: OpenBatch, left: dict[str, Open]) -> bool:
        """Replace the runs of a stored batch by `left`, or delete the batch if `left` is empty.

        Return False, and change nothing, if another process has changed the batch meanwhile; else
        True.
        """
        seen = {"batch_id": batch.id, "seen": batch.version}
        if not left:
            return bool(connection.execute(DELETE, seen).rowcount)
        after = OpenBatch(batch.id, batch.version + 1, batch.claimed_at, batch.term, left)
        values = {name: value for name, value in _values(after).items() if name != "id"}
        return bool(connection.execute(UPDATE, {**values, **seen}).rowcount)

    def unknown(self, connection: Connection, before: int) -> list[OpenBatch]:
        """Return old batches of reserved runs whose results are not recorded, oldest first.

        Old means reserved before `before` (microseconds since 1970). Batches with a run that was
        certainly not sent are included, too. A damaged row is logged and left out.
        """
        return self._read(connection.execute(UNKNOWN, {"before": before}))

    def all(self, connection: Connection) -> list[OpenBatch]:
        return self._read(connection.execute(select(claim)))

    def _read(self, rows: Iterable[Row[Any]]) -> list[OpenBatch]:
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
