"""Read and delete the records of who changed which entry, and find pauses that end, in SQL."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, select

from beatd.catalog import Codec
from beatd.changes import ChangeRecord
from beatd.run import micros
from beatd.stores.sql.change_rows import record_of_row, row_number
from beatd.stores.sql.change_writes import ChangeWrites
from beatd.stores.sql.database import Database
from beatd.stores.sql.dialect import by_index, literally
from beatd.stores.sql.entry_reader import CHUNK
from beatd.stores.sql.old_rows import delete_old_rows
from beatd.stores.sql.store_part import Part
from beatd.stores.sql.tables import change, change_name, entry, pause


class SqlChanges(Part):
    def __init__(self, database: Database, codec: Codec) -> None:
        super().__init__(database, codec)
        self._change_writes = ChangeWrites(database.dialect, self._damage)
        named = self._names.c.name
        self._times = select(change.c.name, change.c.at).join(
            self._names.relation, named == change.c.name
        )

    def changes(self, name: str | None, limit: int, before: str = "") -> Sequence[ChangeRecord]:
        statement = select(change).order_by(change.c.id.desc())
        if name is not None:
            statement = by_index(statement.where(change.c.name == name), change_name)
        last = row_number(before)
        if before and last is None:
            return []
        found: list[ChangeRecord] = []
        while True:
            left = min(limit - len(found), CHUNK)
            page = statement if last is None else statement.where(change.c.id < last)
            rows = self._change_rows(page.limit(literally(left)))
            found += self._readable(rows)
            if len(rows) < left or len(found) >= limit:
                return found
            last = rows[-1].id

    def change(self, id: str) -> ChangeRecord | None:
        number = row_number(id)
        if number is None:
            return None
        found = self._readable(self._change_rows(select(change).where(change.c.id == number)))
        return found[0] if found else None

    def _change_rows(self, statement: Select[Any]) -> list[Any]:
        return list(
            self._db.read(lambda connection: connection.execute(statement).all(), patient=True)
        )

    def _readable(self, rows: Sequence[Any]) -> list[ChangeRecord]:
        read = (
            self._damage.read(f"the row {row.id} of {change.name}", partial(record_of_row, row))
            for row in rows
        )
        return [record for record in read if record is not None]

    def forget_changes(self, before: datetime, keep: int) -> int:
        return delete_old_rows(self._db, change, before, keep)

    def ending_pauses(self, before: datetime, limit: int) -> Sequence[str]:
        statement = (
            select(pause.c.name)
            .join(entry, entry.c.name == pause.c.name)
            .where(pause.c.until < micros(before), entry.c.paused == 1)
            .order_by(pause.c.until, pause.c.name)
            .limit(literally(limit))
        )
        return self._db.read(lambda connection: list(connection.execute(statement).scalars()))

    def write_changes(self, records: Sequence[ChangeRecord]) -> None:
        for start in range(0, len(records), CHUNK):
            self._db.write(partial(self._copy, records[start : start + CHUNK]), patient=True)

    def _copy(self, records: Sequence[ChangeRecord], connection: Connection) -> None:
        names = sorted({record.name for record in records})
        times = [micros(record.at) for record in records]
        known = self._times.where(change.c.at.between(min(times), max(times)))
        bound = self._names.bind([[name] for name in names])
        there = {tuple(row) for row in connection.execute(known, bound)}
        new = [
            record
            for record, at in zip(records, times, strict=True)
            if (record.name, at) not in there
        ]
        self._change_writes.insert(connection, new)
