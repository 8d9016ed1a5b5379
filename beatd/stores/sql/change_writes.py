"""Write the records of who changed which entry, and the pauses of entries, in a SQL store."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, select

from beatd.catalog import Change
from beatd.changes import ChangeRecord, Pause
from beatd.run import MICROSECOND, moment_of
from beatd.stores.change_records import KeptEntry, record_of
from beatd.stores.damage import Damage
from beatd.stores.sql.change_rows import (
    PAUSE_COLUMNS,
    RECORD_COLUMNS,
    cells_of_pause,
    cells_of_record,
    pause_of,
)
from beatd.stores.sql.dialect import Dialect, deletion
from beatd.stores.sql.entry_reader import encoded
from beatd.stores.sql.tables import change, entry, pause

Made = Sequence[tuple[Change, str]]  # accepted changes, each with the encoded definition


class ChangeWrites:
    def __init__(self, dialect: Dialect, damage: Damage) -> None:
        self._dialect, self._damage = dialect, damage
        names = self._names = dialect.batch(name="text")
        columns = [entry.c[name] for name in ("name", "definition", "source", "declared_at")]
        self._kept = (
            select(*columns, entry.c.paused, pause.c.pause)
            .join(names.relation, names.c.name == entry.c.name)
            .outerjoin(pause, pause.c.name == entry.c.name)
        )
        self._end_pauses = deletion(dialect, pause, names)

    def before(
        self, connection: Connection, made: Made, there: Container[str]
    ) -> dict[str, KeptEntry]:
        """Return the entries as they are before these changes, by name, for the records of the
        changes.

        Only those are read that are needed for a record of the change or to keep a pause. `there`
        has the names of all existing entries.
        """
        names = {
            change.name
            for change, _ in made
            if change.name in there
            and (change.author is not None or (change.paused and change.pause is None))
        }
        if not names:
            return {}
        bound = self._names.bind([[name] for name in sorted(names)])
        return {row.name: self._entry_of(row) for row in connection.execute(self._kept, bound)}

    def _entry_of(self, row: Any) -> KeptEntry:
        stopped = None
        if row.paused and row.pause is not None:
            stopped = self._damage.read(
                f"the pause of entry {row.name!r}", partial(pause_of, row.pause)
            )
        definition = encoded(row.definition)
        return KeptEntry(definition, row.source, row.declared_at, bool(row.paused), stopped)

    def write(
        self,
        connection: Connection,
        made: Made,
        before: Mapping[str, KeptEntry],
        incomplete: Container[str],
    ) -> None:
        """Record who changed these entries and how, and write or delete their pauses.

        `before` has the entries as they were. An entry in `incomplete` had lost a part of its data;
        its stored pause is kept if it stays paused.
        """
        kept: dict[str, KeptEntry | None] = dict(before)
        pauses = dict[str, Pause | None]()  # None: the pause ends
        changed = list[tuple[Change, KeptEntry | None, KeptEntry | None]]()
        for one, definition in made:
            name, old = one.name, kept.get(one.name)
            new = kept[name] = _entry_after(one, definition, old)
            changed.append((one, old, new))
            if new is None or not new.paused or one.pause is not None:
                pauses[name] = None if new is None else new.pause
            elif not (name in incomplete if old is None else old.paused):
                pauses[name] = None  # an older program has left one
        self._write_pauses(connection, pauses)
        if any(one.author is not None for one, _, _ in changed):
            self._write_records(connection, changed)

    def _write_pauses(self, connection: Connection, pauses: Mapping[str, Pause | None]) -> None:
        ended = sorted(name for name, paused in pauses.items() if paused is None)
        if ended:
            connection.execute(self._end_pauses, self._names.bind([[name] for name in ended]))
        rows = [
            cells_of_pause(name, paused) for name, paused in sorted(pauses.items()) if paused
        ]  # fmt: skip
        if rows:
            self._dialect.rewrite(connection, pause.name, PAUSE_COLUMNS, ("name",), rows)

    def _write_records(
        self,
        connection: Connection,
        changed: Iterable[tuple[Change, KeptEntry | None, KeptEntry | None]],
    ) -> None:
        now = moment_of(self._dialect.now(connection))
        records, count = list[ChangeRecord](), Counter[str]()
        for one, old, new in changed:
            # Two records of one entry never have the same time: a copy tells them apart by it.
            at = now + count[one.name] * MICROSECOND
            record = record_of("", at, one.name, one.author, old, new)
            if record is not None:
                records.append(record)
                count[one.name] += 1
        self.insert(connection, records)

    def insert(self, connection: Connection, records: Sequence[ChangeRecord]) -> None:
        """Insert these records of changes in this order; the database gives them new ids."""
        if records:
            rows = list(map(cells_of_record, records))
            self._dialect.insert(connection, change.name, RECORD_COLUMNS, rows)


def _entry_after(change: Change, definition: str, old: KeptEntry | None) -> KeptEntry | None:
    if change.entry is None:
        return None
    # A change that names no pause keeps the one that the entry had.
    stopped = None
    if change.paused:
        stopped = change.pause or (None if old is None else old.pause)
    return KeptEntry(
        definition=definition.encode(),
        source=change.entry.source,
        declared_at=change.entry.declared_at,
        paused=change.paused,
        pause=stopped,
    )
