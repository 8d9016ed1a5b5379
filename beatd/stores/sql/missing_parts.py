"""Find and remove incomplete entries, which lost either their definition or their next run."""

from collections.abc import Container, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select

from beatd.catalog import Codec, MissingPart
from beatd.stores.sql.database import Database
from beatd.stores.sql.dialect import deletion, literally
from beatd.stores.sql.store_part import Part
from beatd.stores.sql.tables import edits, entry, entry_outcome, plan, running

FEW = 100  # rows by name that are looked at: enough to notice a table that was emptied
COUNT = select(edits.c.count).with_for_update()


class SqlMissingParts(Part):
    def __init__(self, database: Database, codec: Codec) -> None:
        super().__init__(database, codec)
        names = self._names
        self._defined = select(entry.c.name).join(names.relation, names.c.name == entry.c.name)
        self._clear = [deletion(database.dialect, table, names) for table in (entry, plan)]
        self._clear_runs = [
            deletion(database.dialect, table, names) for table in (running, entry_outcome)
        ]

    def missing_parts(self, limit: int, *, whole: bool) -> Sequence[MissingPart]:
        def read(connection: Connection) -> list[MissingPart]:
            lost = connection.execute(_without(entry, plan, limit, whole)).all()
            left = connection.execute(_without(plan, entry, limit, whole)).scalars().all()
            found = [MissingPart(name, None) for name in left]
            for row in lost:
                known = self._reader.definition(row, keep=False)
                if known is not None:
                    found.append(MissingPart(row.name, *known))
            return found[:limit]

        return self._db.read(read, patient=True)

    def _remove_incomplete(
        self, connection: Connection, names: Iterable[str], planned: Container[str]
    ) -> set[str]:
        wanted = sorted(set(names))
        if not wanted:
            return set()
        bound = self._names.bind([[name] for name in wanted])
        defined = set(connection.execute(self._defined, bound).scalars())
        # An entry needs a definition and a plan (when it runs next); `planned` has the names with
        # one.
        incomplete = {name for name in wanted if (name in defined) != (name in planned)}
        if incomplete:
            bound = self._names.bind([[name] for name in sorted(incomplete)])
            for statement in self._clear:
                connection.execute(statement, bound)
        return incomplete

    def _remove_runs(self, connection: Connection, names: list[list[str]]) -> None:
        # An entry that replaces what was left keeps its running run, so that no run overlaps it.
        bound = self._names.bind(names)
        for statement in self._clear_runs:
            connection.execute(statement, bound)


def edits_so_far(connection: Connection) -> int:
    """Return the number of edits ever made in this store, and lock it until the commit.

    Each edit takes the next number. If the number was lost, the largest one in any entry is used.
    """
    count = connection.scalar(COUNT)
    if count is None:
        count = newest_revision(connection)
        connection.execute(edits.insert().values(id=1, count=count))
    return int(count)


def newest_revision(connection: Connection) -> int:
    """Return the largest revision number that any stored entry has, or 0 if there is none."""
    newest = (connection.scalar(select(func.max(table.c.revision))) for table in (entry, plan))
    return max(found or 0 for found in newest)


def _without(table: Any, other: Any, limit: int, whole: bool) -> Select[Any]:
    # To save time, only the first rows are examined.
    if not whole:
        first = select(table).order_by(table.c.name).limit(literally(FEW)).subquery()
        table = first
    columns = list(table.c) if "definition" in table.c else [table.c.name]
    return (
        select(*columns)
        .outerjoin_from(table, other, other.c.name == table.c.name)
        .where(other.c.name.is_(None))
        .order_by(table.c.name)
        .limit(literally(limit))
    )
