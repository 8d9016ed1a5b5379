"""Read the history, newest record first. Delete the records that are too old or too many."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection, delete, select

from beatd.ledger import Record
from beatd.run import micros, moment_of
from beatd.stores.sql.dialect import literally
from beatd.stores.sql.entry_reader import CHUNK
from beatd.stores.sql.history_rows import record_of
from beatd.stores.sql.open_claims import origin_of
from beatd.stores.sql.outcomes import SqlOutcomes
from beatd.stores.sql.record import SqlRecording
from beatd.stores.sql.tables import history


class SqlHistory(SqlRecording, SqlOutcomes):
    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        return islice(self._records(name), limit)

    def _records(self, name: str | None) -> Iterator[Record]:
        open_claims = self._open_claims(name)
        for page in self._pages_back(name):
            for row in page:
                while open_claims and open_claims[-1][0] >= row.at:
                    yield open_claims.pop()[1]
                read = partial(record_of, row)
                record = self._damage.read(f"the row {row.id} of beatd_history", read)
                if record is not None:
                    yield record
        while open_claims:
            yield open_claims.pop()[1]

    def _open_claims(self, name: str | None) -> list[tuple[int, Record]]:
        """Return (moment of the claim in microseconds, record) of each open claim (a run claimed
        and not recorded), oldest first. If `name` is given, return only the claims of this
        entry."""
        batches = self._db.read(self._claims.all)
        batches.sort(key=lambda batch: batch.claimed_at)
        return [
            (
                batch.claimed_at,
                Record(
                    run.name,
                    moment_of(run.planned),
                    "claimed",
                    task_id=run.task_id,
                    term=batch.term,
                    origin=origin_of(run),
                ),
            )
            for batch in batches
            for run in batch.runs.values()
            if name is None or run.name == name
        ]

    def _pages_back(self, name: str | None) -> Iterator[list[Any]]:
        statement = select(history).order_by(history.c.id.desc())
        if name is not None:
            statement = statement.where(history.c.name == name)
        size, page = 100, self._page(statement.limit(literally(100)))
        while page:
            yield page
            if len(page) < size:
                return
            size = CHUNK
            page = self._page(statement.where(history.c.id < page[-1].id).limit(literally(size)))

    def _page(self, statement: Any) -> list[Any]:
        return list(
            self._db.read(lambda connection: connection.execute(statement).all(), patient=True)
        )

    def forget(self, before: datetime, keep: int) -> int:
        """Delete the records that were written before `before`, and all but the newest `keep`
        records; return the number of deleted records. Delete the deliveries of runs likewise.

        Each transaction looks at the oldest thousand records. The deletion stops at a thousand of
        which none is to be deleted.
        """
        self._forget_deliveries(before, keep)
        cutoff = self._db.read(lambda connection: self._newest_kept(connection, keep), patient=True)
        dropped = 0
        while True:
            part = self._db.write(
                lambda connection: self._forget_some(connection, micros(before), cutoff)
            )
            dropped += part
            if not part:
                return dropped

    def _newest_kept(self, connection: Connection, keep: int) -> int:
        """Return the largest id among the records that must be deleted so that the newest `keep`
        stay; 0 if none must be deleted."""
        newest = select(history.c.id).order_by(history.c.id.desc()).offset(keep).limit(literally(1))
        return connection.scalar(newest) or 0

    def _forget_some(self, connection: Connection, before: int, cutoff: int) -> int:
        oldest = connection.execute(
            select(history.c.id, history.c.at).order_by(history.c.id).limit(literally(CHUNK))
        )
        old = [row.id for row in oldest if row.at < before or row.id <= cutoff]
        if old:
            connection.execute(delete(history).where(history.c.id.in_(old)))
        return len(old)
