"""Write incidents, which are problems that last for a time, unless another process changed them.

Hundreds of incidents need only three SQL statements.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import json
from sqlalchemy import Connection, or_, select, update

from beatd.incident import Incident
from beatd.run import micros
from beatd.stores.sql.dialect import Dialect, Kind
from beatd.stores.sql.tables import incident

KEY: dict[str, Kind] = {"kind": "text", "name": "text", "opened": "int"}
VALUES: dict[str, Kind] = {
    "revision": "int",
    "closed": "int",
    "open": "int",
    "pending": "int",
    "incident": "text",
}


class IncidentRows:
    """Writes incidents, which are problems that last for a time, into their SQL table."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        keys = self._keys = dialect.batch(**KEY)
        same = (incident.c.kind == keys.c.kind) & (incident.c.name == keys.c.name)
        known_or_open = or_(incident.c.opened == keys.c.opened, incident.c.open == 1)
        self._found = (
            select(*(incident.c[name] for name in ("seq", *KEY, "revision")))
            .join(keys.relation, same & known_or_open)
            .order_by(incident.c.kind, incident.c.name, incident.c.opened)
            .with_for_update(of=incident)
        )
        rows = self._changed = dialect.batch(seq="int", **VALUES)
        self._update = (
            update(incident)
            .where(incident.c.seq == rows.c.seq)
            .values({name: rows.c[name] for name in VALUES})
        )

    def put(self, incidents: Sequence[Incident], connection: Connection) -> list[bool]:
        """Write incidents, and return for each True if it was written, else False.

        An update must have the stored revision plus 1. A new incident (revision 1) is refused if
        one of its kind and name is open. No two of `incidents` may have the same kind and name.
        Raises IntegrityError if another writer opens one at the same time.
        """
        keys = sorted(_key(one) for one in incidents)
        found = connection.execute(self._found, self._keys.bind(keys)).all()
        seqs = {(row.kind, row.name, row.opened, row.revision): row.seq for row in found}
        taken = {(row.kind, row.name) for row in found}
        new, changed, written = [], [], []
        for one in incidents:
            seq = seqs.get((*_key(one), one.revision - 1))
            if seq is not None:
                changed.append([seq, *_values(one)])
            opens = one.revision == 1 and (one.kind, one.name) not in taken
            if opens:
                new.append([*_key(one), *_values(one)])
            written.append(seq is not None or opens)
        if new:
            self._dialect.insert(connection, incident.name, {**KEY, **VALUES}, sorted(new))
        if changed:
            connection.execute(self._update, self._changed.bind(changed))
        return written


def _key(one: Incident) -> list[Any]:
    return [one.kind, one.name, micros(one.opened)]


def _values(one: Incident) -> list[Any]:
    return [
        one.revision,
        None if one.closed is None else micros(one.closed),
        1 if one.closed is None else None,
        1 if one.closed is None or one.resolved is None else None,
        json.encode(one).decode(),
    ]
