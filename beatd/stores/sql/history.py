"""Read the history of runs in a SQL store, and delete records that are too old or too many."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Select, select

from beatd.history import HistoryPage, Record
from beatd.marks import ARGUMENTS_PREFIX
from beatd.run import micros, moment_of
from beatd.stores.sql.change_rows import row_number
from beatd.stores.sql.dialect import by_index, literally
from beatd.stores.sql.entry_reader import CHUNK
from beatd.stores.sql.history_rows import record_of
from beatd.stores.sql.newest_records import NAMES_PER_STATEMENT, newest_rows
from beatd.stores.sql.old_rows import delete_old_rows, number_of
from beatd.stores.sql.open_claims import Open, OpenBatch, origin_of
from beatd.stores.sql.outcomes import SqlOutcomes
from beatd.stores.sql.record import SqlRecording
from beatd.stores.sql.tables import applied, history, history_name


def newest_first(name: str | None) -> Select[Any]:
    """Return a SELECT of the history of the entry `name`, or of all if it is None, newest first."""
    statement = select(history).order_by(history.c.id.desc())
    if name is None:
        return statement
    return by_index(statement.where(history.c.name == name), history_name)


class SqlHistory(SqlRecording, SqlOutcomes):
    def history(self, name: str | None, limit: int | None) -> Iterator[Record]:
        return islice(self._records(name), limit)

    def _records(self, name: str | None) -> Iterator[Record]:
        open_claims = self._open_claims(name)
        for page in self._pages_back(name):
            for row in page:
                while open_claims and open_claims[-1][0] >= number_of(row.at):
                    yield open_claims.pop()[1]
                yield from self._readable_records([row])
        while open_claims:
            yield open_claims.pop()[1]

    def _open_claims(self, name: str | None) -> list[tuple[float, Record]]:
        # Runs that are reserved but not recorded yet, oldest first, each with its time of
        # reservation.
        batches = self._db.read(self._claims.all)
        batches.sort(key=lambda batch: number_of(batch.claimed_at))
        read = (
            (
                number_of(batch.claimed_at),
                self._damage.read(
                    f"an open claim of entry {run.name!r}", partial(_claimed, run, batch)
                ),
            )
            for batch in batches
            for run in batch.runs.values()
            if name is None or run.name == name
        )
        return [(moment, record) for moment, record in read if record is not None]

    def _pages_back(self, name: str | None) -> Iterator[list[Any]]:
        statement = newest_first(name)
        size, page = 100, self._page(statement.limit(literally(100)))
        while page:
            yield page
            if len(page) < size:
                return
            size = min(CHUNK, 4 * size)
            page = self._page(statement.where(history.c.id < page[-1].id).limit(literally(size)))

    def _page(self, statement: Any) -> list[Any]:
        return list(
            self._db.read(lambda connection: connection.execute(statement).all(), patient=True)
        )

    def history_page(self, name: str | None, limit: int, place: str = "") -> HistoryPage:
        number = row_number(place)
        if place and number is None:
            return HistoryPage([], "")
        claims = [] if place else [record for _, record in reversed(self._open_claims(name))]
        del claims[limit:]
        room = limit - len(claims)
        statement = newest_first(name).limit(literally(room + 1))
        if number is not None:
            statement = statement.where(history.c.id < number)
        rows = self._page(statement)
        # The row that did not fit: also when the page has no row, the next one begins with it.
        rest = str(rows[room].id + 1) if len(rows) > room else ""
        return HistoryPage([*claims, *self._readable_records(rows[:room])], rest)

    def newest_records(self, names: Sequence[str], limit: int) -> Mapping[str, Sequence[Record]]:
        wanted = sorted(set(names))
        found: dict[str, list[Record]] = {}
        for start in range(0, len(wanted), NAMES_PER_STATEMENT):
            some = wanted[start : start + NAMES_PER_STATEMENT]
            rows = self._db.read(partial(newest_rows, names=some, limit=limit), patient=True)
            rows.sort(key=lambda row: row.id, reverse=True)
            for record in self._readable_records(rows):
                found.setdefault(record.name, []).append(record)
        return found

    def _readable_records(self, rows: Iterable[Any]) -> Iterator[Record]:
        for row in rows:
            what = f"the row {row.id} of beatd_history"
            record = self._damage.read(what, partial(record_of, row))
            if record is not None:
                yield record

    def forget(self, before: datetime, keep: int) -> int:
        """Delete history records older than `before`, and all but the newest `keep`.

        Return the number of deleted records. Worker reports are deleted by the same limits, but not
        counted.
        """
        self._forget_deliveries(before, keep)
        self._db.write(
            lambda connection: connection.execute(
                applied.delete().where(
                    applied.c.source.startswith(ARGUMENTS_PREFIX),
                    applied.c.loaded_at < micros(before),
                )
            )
        )
        return delete_old_rows(self._db, history, before, keep)


def _claimed(run: Open, batch: OpenBatch) -> Record:
    return Record(
        run.name,
        moment_of(run.planned),
        "claimed",
        task_id=run.task_id,
        term=batch.term,
        origin=origin_of(run),
    )
