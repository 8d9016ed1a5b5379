"""Read, write and delete incidents, which are problems that last for a time, in a SQL store.

A unique index permits one open incident for each kind and entry.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from msgspec import json
from sqlalchemy import Connection, and_, delete, or_, select

from beatd.catalog import Codec
from beatd.incident import Incident, writes_of
from beatd.run import micros
from beatd.stores.sql.database import Database
from beatd.stores.sql.dialect import literally
from beatd.stores.sql.entry_reader import CHUNK
from beatd.stores.sql.incident_rows import IncidentRows
from beatd.stores.sql.store_part import Part
from beatd.stores.sql.tables import incident

PENDING = (
    select(incident)
    .where(incident.c.pending == 1)
    .order_by(incident.c.opened, incident.c.seq)
)  # fmt: skip
NEWEST = select(incident).order_by(incident.c.opened.desc(), incident.c.seq.desc())


class SqlIncidents(Part):
    def __init__(self, database: Database, codec: Codec) -> None:
        super().__init__(database, codec)
        self._incident_rows = IncidentRows(database.dialect)

    def open_incidents(self) -> list[Incident]:
        return self._db.read(lambda connection: self._read(connection.execute(PENDING)))

    def put_incidents(self, incidents: Sequence[Incident]) -> list[bool]:
        return [
            written
            for part in writes_of(incidents)
            for written in self._write_anew(partial(self._incident_rows.put, part))
        ]

    def incidents(self, name: str | None, limit: int | None) -> Iterator[Incident]:
        return islice(self._newest_first(name), limit)

    def _newest_first(self, name: str | None) -> Iterator[Incident]:
        statement = NEWEST if name is None else NEWEST.where(incident.c.name == name)
        size, page = 100, self._page(statement.limit(literally(100)))
        while page:
            yield from self._read(page)
            if len(page) < size:
                return
            last, size = page[-1], CHUNK
            same = and_(incident.c.opened == last.opened, incident.c.seq < last.seq)
            beyond = or_(incident.c.opened < last.opened, same)
            page = self._page(statement.where(beyond).limit(literally(size)))

    def _page(self, statement: Any) -> list[Any]:
        return list(
            self._db.read(lambda connection: connection.execute(statement).all(), patient=True)
        )

    def forget_incidents(self, before: datetime) -> int:
        old = select(incident.c.seq).where(incident.c.closed < micros(before))

        def forget_some(connection: Connection) -> int:
            found = list(connection.execute(old.limit(literally(CHUNK))).scalars())
            if found:
                connection.execute(delete(incident).where(incident.c.seq.in_(found)))
            return len(found)

        forgotten = 0
        while True:
            part = self._db.write(forget_some)
            forgotten += part
            if part < CHUNK:
                return forgotten

    def _read(self, rows: Iterable[Any]) -> list[Incident]:
        read = (
            self._damage.read(
                f"the row {row.seq} of {incident.name}",
                partial(json.decode, row.incident, type=Incident),
            )
            for row in rows
        )
        return [one for one in read if one is not None]
