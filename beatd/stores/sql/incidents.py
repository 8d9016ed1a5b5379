"""Keep incidents. A change is a compare-and-set on the revision, and a unique index lets only one
incident of a kind and an entry be open."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from msgspec import json
from sqlalchemy import Connection, and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from beatd.errors import StoreError
from beatd.incident import Incident
from beatd.run import micros
from beatd.stores.sql.dialect import literally
from beatd.stores.sql.entry_reader import CHUNK
from beatd.stores.sql.store_part import Part
from beatd.stores.sql.tables import incident

PENDING = (
    select(incident)
    .where(incident.c.pending == 1)
    .order_by(incident.c.opened, incident.c.seq)
)  # fmt: skip
NEWEST = select(incident).order_by(incident.c.opened.desc(), incident.c.seq.desc())


class SqlIncidents(Part):
    def open_incidents(self) -> list[Incident]:
        return self._db.read(lambda connection: self._read(connection.execute(PENDING)))

    def put_incident(self, incident: Incident) -> bool:
        try:
            return self._db.write(partial(_put, incident))
        except StoreError as error:
            if isinstance(error.__cause__, IntegrityError):
                return False  # another of this kind and name is open, or has this moment
            raise

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


def _put(one: Incident, connection: Connection) -> bool:
    values = {
        "revision": one.revision,
        "closed": None if one.closed is None else micros(one.closed),
        "open": 1 if one.closed is None else None,
        "pending": 1 if one.closed is None or one.resolved is None else None,
        "incident": json.encode(one).decode(),
    }
    key = {"kind": one.kind, "name": one.name, "opened": micros(one.opened)}
    if one.revision == 1:
        connection.execute(incident.insert().values(**key, **values))
        return True
    as_seen = incident.c.revision == one.revision - 1
    there = and_(as_seen, *(incident.c[name] == value for name, value in key.items()))
    return bool(connection.execute(update(incident).where(there).values(**values)).rowcount)
