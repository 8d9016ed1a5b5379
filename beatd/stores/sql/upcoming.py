"""Read which entries run next, which runs are reserved but not recorded, and which are requested.

Indexes find them, so the cost does not grow with the number of entries.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from beatd.catalog import Codec, Stored
from beatd.ledger import OpenClaim, Request
from beatd.run import Occurrence, micros, moment_of
from beatd.stores.sql.database import Database
from beatd.stores.sql.dialect import literally
from beatd.stores.sql.entry_reader import PLAN
from beatd.stores.sql.open_claims import Claims, Open, OpenBatch
from beatd.stores.sql.store_part import Part
from beatd.stores.sql.tables import edits, plan, request

ASKED = select(request).where(request.c.seq > bindparam("last")).order_by(request.c.seq)
FROM_THE_BEGINNING = 60  # one of so many reads: once a minute on an idle leader
MARGIN = 60_000_000


@lru_cache(64)
def soonest(limit: int) -> Select[Any]:
    """Return a SELECT of the `limit` entries that run next, sorted by time and name."""
    return (
        select(*PLAN)
        .where(plan.c.due.is_not(None))  # a paused or disabled entry has no due moment
        .order_by(plan.c.due, plan.c.name)
        .limit(literally(limit))
    )


@lru_cache(64)
def later(limit: int) -> Select[Any]:
    """Return a SELECT of up to `limit` entries that run at or after the SQL parameter `start`.

    They are sorted by time and name.
    """
    return soonest(limit).where(plan.c.due >= bindparam("start"))


class SqlUpcoming(Part):
    def __init__(self, database: Database, codec: Codec) -> None:
        super().__init__(database, codec)
        self._claims = Claims(self._damage)
        self._claimed_at: int | None = None
        self._start: int | None = None
        self._reads = 0
        named = self._names.c.name
        self._which_exist = select(plan.c.name).join(self._names.relation, named == plan.c.name)

    def upcoming(self, limit: int) -> Sequence[Stored]:
        return self._db.read(lambda connection: self._soonest(connection, limit))

    def _soonest(self, connection: Connection, limit: int) -> list[Stored]:
        # If this program cannot read some of the rows, more are read, so that unreadable entries
        # never hide the others.
        asked = limit
        while True:
            rows = self._rows(connection, asked)
            found = self._reader.planned(connection, rows)
            if any(f and f.revision != row.revision for f, row in zip(found, rows, strict=True)):
                continue  # edited between the two reads: it may have moved
            readable = [row for row in found if row is not None]
            if len(readable) >= limit or len(rows) < asked:
                return readable[:limit]
            asked = asked * 2 + 100

    def _rows(self, connection: Connection, limit: int) -> Sequence[Any]:
        # The beginning of the index can be full of dead entries: each claimed row leaves one while
        # an old snapshot exists. So reading starts a minute before the last claim. It starts at the
        # beginning if too few rows are found, and once in 60 reads, as a row may have an earlier
        # moment by now.
        start = self._start
        if start is not None and self._reads % FROM_THE_BEGINNING:
            self._reads += 1
            rows = connection.execute(later(limit), {"start": start}).all()
            if len(rows) == limit:
                return rows
        self._reads = 1
        rows = connection.execute(soonest(limit)).all()
        self._start = None
        if len(rows) == limit and limit > 1 and self._claimed_at is not None:
            self._start = min(rows[0].due, self._claimed_at) - MARGIN
        return rows

    def unknowns(self, before: datetime, limit: int) -> Sequence[OpenClaim]:
        return self._db.read(lambda connection: self._unknown(connection, micros(before), limit))

    def open_claims(self) -> int:
        return sum(len(batch.runs) for batch in self._db.read(self._claims.all))

    def _unknown(self, connection: Connection, before: int, limit: int) -> list[OpenClaim]:
        found = []
        for batch in self._claims.unknown(connection, before):
            late = batch.claimed_at < before
            found += [(batch, run) for run in batch.runs.values() if late or run.unsent]
        answer: list[OpenClaim] = []
        for start in range(0, len(found), limit):
            chunk = found[start : start + limit]
            rows, unreadable = self._with_entries(connection, [run.name for _, run in chunk])
            answer += [
                claim
                for batch, run in chunk
                if run.name not in unreadable
                if (claim := self._open_claim(batch, run, rows.get(run.name))) is not None
            ]
            if len(answer) >= limit:
                break
        return answer[:limit]

    def _open_claim(self, batch: OpenBatch, run: Open, stored: Stored | None) -> OpenClaim | None:
        def read() -> OpenClaim:
            return OpenClaim(
                Occurrence(run.name, moment_of(run.planned), run.request),
                run.task_id,
                moment_of(run.due),
                moment_of(batch.claimed_at),
                batch.term,
                bool(run.unsent),
                stored,
            )

        return self._damage.read(f"an open claim of entry {run.name!r}", read)

    def requests(self, limit: int) -> Sequence[tuple[Request, Stored | None]]:
        return self._db.read(lambda connection: self._asked(connection, limit))

    def _asked(self, connection: Connection, limit: int) -> list[tuple[Request, Stored | None]]:
        answer: list[tuple[Request, Stored | None]] = []
        last = 0
        while True:
            rows = connection.execute(ASKED.limit(literally(limit)), {"last": last}).all()
            if not rows:
                return answer
            names = [row.name for row in rows if isinstance(row.name, str)]
            entries, unreadable = self._with_entries(connection, names)
            for row in rows:
                what = f"the request {row.id!r} of entry {row.name!r}"
                read = self._damage.read(what, partial(request_of, row))
                if read is not None and row.name not in unreadable:
                    answer.append((read, entries.get(row.name)))
            if len(answer) >= limit or len(rows) < limit:
                return answer[:limit]
            last = rows[-1].seq

    def add_requests(self, requests: Sequence[Request]) -> None:
        def put(connection: Connection) -> None:
            # Wait for other writers, so that no entry is removed before its request is added.
            connection.execute(select(edits.c.count).with_for_update())
            self._add(connection, requests)
            self._db.dialect.notify(connection)

        self._db.write(put)

    def _add(self, connection: Connection, requests: Sequence[Request]) -> None:
        wanted = {one.id: one for one in requests}
        if wanted:
            asked = select(request.c.id).where(request.c.id.in_(sorted(wanted)))
            for pending in connection.execute(asked).scalars():
                del wanted[pending]
        if wanted:
            connection.execute(request.insert(), [_row(one) for one in wanted.values()])

    def _with_entries(
        self, connection: Connection, names: Sequence[str]
    ) -> tuple[dict[str, Stored], set[str]]:
        found = self._reader.named(connection, names)
        missing = sorted(set(names) - set(found))
        if not missing:
            # The second set has names of entries that exist but cannot be read.
            return found, set()
        bound = self._names.bind([[name] for name in missing])
        return found, set(connection.execute(self._which_exist, bound).scalars())


def request_of(row: Any) -> Request:
    if not all(isinstance(one, str) for one in (row.id, row.name, row.kind)):
        raise TypeError("a text is none")  # SQLite keeps any value in any column
    return Request(
        row.id, row.name, row.kind, moment_of(row.first_at), moment_of(row.last_at), row.revision
    )


def _row(one: Request) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind,
        "first_at": micros(one.first),
        "last_at": micros(one.last),
        "revision": one.revision,
    }
