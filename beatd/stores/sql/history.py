"""Read the history of runs, newest record first. Delete records that are too old or too many."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection, delete, select

from beatd.history import Record
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
        """Return a (claim time, record) pair for each run that is claimed but not recorded, oldest
        first. The time is in microseconds since 1970. If `name` is given, only runs of this entry
        are returned."""
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
        """Delete history records older than `before`, and all but the newest `keep`; return their
        number. Worker reports are deleted by the same limits, but not counted."""
        self._forget_deliveries(before, keep)
        cutoff = self._db.read(lambda connection: self._newest_kept(connection, keep), patient=True)
        # Each transaction examines the oldest thousand records; the first that deletes none is the
        # last.
        dropped = 0
        while True:
            part = self._db.write(
                lambda connection: self._forget_some(connection, micros(before), cutoff)
            )
            dropped += part
            if not part:
                return dropped

    def _newest_kept(self, connection: Connection, keep: int) -> int:
        """Return the id up to which records must be deleted, so that the newest `keep` remain.
        Return 0 if there are no more than `keep`."""
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
