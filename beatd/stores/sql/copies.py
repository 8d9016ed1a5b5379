"""Copy one store into another: read and write the content of a SQL store unchanged."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import Any
from uuid import UUID

from msgspec import json
from sqlalchemy import Connection, select

from beatd.leader import Holder, Term
from beatd.marks import Mark
from beatd.outcome import EntryOutcome
from beatd.run import Running, micros, moment_of
from beatd.store import WrittenRecord
from beatd.stores.sql.dialect import literally
from beatd.stores.sql.entry_reader import CHUNK
from beatd.stores.sql.history_rows import Line, record_of
from beatd.stores.sql.outcomes import SqlOutcomes
from beatd.stores.sql.running_runs import RunningRow
from beatd.stores.sql.tables import applied, history, ledger


class SqlCopies(SqlOutcomes):
    _namespace: UUID

    @property
    def most_records(self) -> None:
        return None

    def records(self, after: str) -> Iterator[WrittenRecord]:
        last = int(after or 0)
        while True:
            page = self._records_after(last)
            for row in page:
                what = f"the row {row.id} of beatd_history"
                written = self._damage.read(what, partial(_written, row))
                if written is not None:
                    yield written
            if len(page) < CHUNK:
                return
            last = page[-1].id

    def _records_after(self, last: int) -> list[Any]:
        statement = select(history).where(history.c.id > last).order_by(history.c.id)
        return list(
            self._db.read(
                lambda connection: connection.execute(statement.limit(literally(CHUNK))).all(),
                patient=True,
            )
        )

    def write_records(self, records: Sequence[WrittenRecord], mark: Mark, seen: Mark) -> bool:
        is_it = applied.c.source == mark.key
        read = select(applied.c.digest).where(is_it).with_for_update()
        write = applied.update().where(is_it)
        write = write.values(loaded_at=micros(mark.at), digest=mark.text)
        lines = list(map(_line, records))

        def put(connection: Connection) -> bool:
            found = connection.scalar(read)
            if found != seen.text:
                return found == mark.text
            connection.execute(write)
            self._tell(connection, lines)
            return True

        return self._db.write(put, patient=True)

    def write_entry_outcomes(self, outcomes: Sequence[EntryOutcome]) -> None:
        for start in range(0, len(outcomes), CHUNK):
            self._db.write(partial(self._put_outcomes, outcomes[start : start + CHUNK]))

    def _put_outcomes(self, outcomes: Sequence[EntryOutcome], connection: Connection) -> None:
        names = [outcome.name for outcome in outcomes]
        there = self._deliveries.outcomes(connection, names, lock=True)
        new = [outcome for outcome in outcomes if outcome.name not in there]
        known = [outcome for outcome in outcomes if outcome.name in there]
        self._deliveries.write_outcomes(connection, new, known)

    def write_running(self, running: Mapping[str, Running]) -> None:
        rows = [
            RunningRow(name, run.task_id, micros(run.since), micros(run.until), int(run.waits))
            for name, run in running.items()
        ]
        for start in range(0, len(rows), CHUNK):
            self._db.write(partial(self._put_running, rows[start : start + CHUNK]))

    def _put_running(self, rows: Sequence[RunningRow], connection: Connection) -> None:
        self._running.lock(connection, [row.name for row in rows])
        self._running.write(connection, rows)

    def all_marks(self) -> Sequence[Mark]:
        rows = self._db.read(lambda connection: connection.execute(select(applied)).all())
        found = (
            self._damage.read(f"the mark of {row.source!r}", partial(_mark, row)) for row in rows
        )
        return [mark for mark in found if mark is not None]

    def write_identity(self, namespace: UUID, newest: tuple[Term, Holder] | None) -> None:
        def put(connection: Connection) -> None:
            row = connection.execute(select(ledger).with_for_update()).one()
            values: dict[str, Any] = {"namespace": str(namespace)}
            if newest is not None and newest[0].number > row.term:
                holder = json.encode(newest[1]).decode()
                values |= {"term": newest[0].number, "token": token_hex(16), "holder": holder}
            connection.execute(ledger.update().values(**values))

        self._db.write(put)
        self._namespace = namespace


def _written(row: Any) -> WrittenRecord:
    return WrittenRecord(str(row.id), moment_of(row.at), record_of(row))


def _mark(row: Any) -> Mark:
    return Mark(row.source, moment_of(row.loaded_at), row.digest)


def _line(written: WrittenRecord) -> Line:
    record = written.record
    return Line(
        record.name,
        micros(record.planned),
        micros(written.at),
        record.state,
        record.reason,
        record.task_id,
        _micros(record.published),
        record.late,
        _micros(record.until),
        record.count,
        int(record.at_least),
        record.term,
        record.origin,
    )


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)
