"""From rows to entries: a definition is decoded once per revision, and kept while there is room."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Select, select

from beatd.catalog import Codec, Plan, Stored
from beatd.entry import Entry
from beatd.errors import ConfigError
from beatd.run import moment_of
from beatd.stores.sql.dialect import Dialect
from beatd.stores.sql.schema import entry, plan

KEPT = 20_000
CHUNK = 1_000

PLAN = (
    plan.c.name,
    plan.c.revision,
    plan.c.active,
    plan.c.planned,
    plan.c.due,
    plan.c.runs,
    plan.c.last,
    plan.c.fingerprint,
    plan.c.rules,
)
DEFINITION = (entry.c.definition, entry.c.source, entry.c.declared_at, entry.c.paused)


def moment(micros: int | None) -> datetime | None:
    return None if micros is None else moment_of(micros)


def whole() -> Select[Any]:
    return select(*PLAN, *DEFINITION).join_from(plan, entry, entry.c.name == plan.c.name)


class Reader:
    def __init__(self, codec: Codec, dialect: Dialect) -> None:
        self._codec = codec
        self._kept: dict[tuple[str, int], tuple[Entry, bool]] = {}
        self._lock = Lock()
        self._names = dialect.batch(name="text")
        self._by_name = whole().join(self._names.relation, self._names.c.name == plan.c.name)

    def definition(self, row: Any, *, keep: bool) -> tuple[Entry, bool] | None:
        """The entry of a row and whether it is paused; None if this program cannot read it."""
        key = (row.name, row.revision)
        known = self._kept.get(key)
        if known is not None:
            return known
        try:
            made = self._codec.decode(
                row.name, row.definition.encode(), row.source, row.declared_at
            )
        except ConfigError:
            return None
        known = (made, bool(row.paused))
        if keep:
            with self._lock:
                if len(self._kept) >= KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = known
        return known

    def problem(self, row: Any) -> str | None:
        try:
            self._codec.decode(row.name, row.definition.encode(), row.source, row.declared_at)
        except ConfigError as error:
            return str(error)
        return None

    def stored(self, row: Any, *, keep: bool = False) -> Stored | None:
        known = self.definition(row, keep=keep)
        return None if known is None else _stored(row, known)

    def named(
        self, connection: Connection, names: Iterable[str], *, keep: bool = True
    ) -> dict[str, Stored]:
        """The readable ones of these entries."""
        found: dict[str, Stored] = {}
        wanted = sorted(set(names))
        for start in range(0, len(wanted), CHUNK):
            rows = [[name] for name in wanted[start : start + CHUNK]]
            for row in connection.execute(self._by_name, self._names.bind(rows)):
                stored = self.stored(row, keep=keep)
                if stored is not None:
                    found[row.name] = stored
        return found

    def planned(self, connection: Connection, rows: Sequence[Any]) -> list[Stored | None]:
        """Plan rows with their entries; only definitions not seen before are fetched."""
        kept = self._kept
        strange = [row.name for row in rows if (row.name, row.revision) not in kept]
        fetched = self.named(connection, strange) if strange else {}
        answer: list[Stored | None] = []
        for row in rows:
            known = kept.get((row.name, row.revision))
            # An entry edited between the two reads is taken whole from the second.
            again = fetched.get(row.name)
            if again is not None or known is None:
                answer.append(again)
            else:
                answer.append(_stored(row, known))
        return answer


def _stored(row: Any, known: tuple[Entry, bool]) -> Stored:
    made, paused = known
    return Stored(
        made,
        row.revision,
        paused,
        Plan(moment(row.planned), moment(row.due), row.fingerprint, row.rules),
        row.runs,
        moment(row.last),
    )
