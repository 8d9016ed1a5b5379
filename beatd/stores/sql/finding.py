"""Which entries there are, and the marks of what was applied."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select

from beatd.catalog import Applied, Query, Stored
from beatd.run import micros, moment_of
from beatd.stores.sql.dialect import literally
from beatd.stores.sql.part import Part
from beatd.stores.sql.reader import CHUNK, whole
from beatd.stores.sql.schema import applied, edits, entry, plan


class SqlFinding(Part):
    """Entries found in pages, each its own short transaction, so that a million fill no memory."""

    def version(self) -> str:
        return str(self._db.read(lambda connection: connection.scalar(select(edits.c.count))))

    def count(self) -> int:
        statement = select(func.count()).select_from(entry)
        return int(self._db.read(lambda connection: connection.scalar(statement) or 0))

    def find(self, query: Query) -> Iterator[Stored]:
        left = query.limit
        for page in self._named(query) if query.names is not None else self._pages(query):
            for row in page:
                stored = self._reader.stored(row)
                if stored is None:
                    continue
                if left is not None:
                    if left <= 0:
                        return
                    left -= 1
                yield stored

    def _named(self, query: Query) -> Iterator[list[Any]]:
        names = sorted(set(query.names or ()))
        statement = self._filtered(query).join(
            self._names.relation, self._names.c.name == plan.c.name
        )
        rows: list[Any] = []
        for start in range(0, len(names), CHUNK):
            bound = self._names.bind([[name] for name in names[start : start + CHUNK]])
            rows += self._fetch(statement, bound)
        if query.order == "next":
            rows.sort(key=lambda row: (row.due is None, row.due or 0, row.name))
        else:
            rows.sort(key=lambda row: row.name)
        yield rows

    def _pages(self, query: Query) -> Iterator[list[Any]]:
        statement = self._filtered(query)
        if query.order == "name":
            yield from self._walk(statement, by_due=False)
            return
        yield from self._walk(statement.where(plan.c.due.is_not(None)), by_due=True)
        if query.due_before is None:
            yield from self._walk(statement.where(plan.c.due.is_(None)), by_due=False)

    def _walk(self, statement: Select[Any], *, by_due: bool) -> Iterator[list[Any]]:
        """Pages by key: each its own short transaction, none of them counting rows to skip."""
        size = 100  # the first page is small: most who ask want a screenful
        order = (plan.c.due, plan.c.name) if by_due else (plan.c.name,)
        beyond: ColumnElement[bool] = plan.c.name > bindparam("name")
        if by_due:
            beyond = and_(
                plan.c.due >= bindparam("due"), or_(plan.c.due > bindparam("due"), beyond)
            )
        ordered = statement.order_by(*order)
        bound: dict[str, Any] = {}
        while True:
            page = self._fetch(ordered.limit(literally(size)), bound)
            if page:
                yield page
            if len(page) < size:
                return
            if not bound:
                ordered, size = ordered.where(beyond), CHUNK
            bound = {"name": page[-1].name, "due": page[-1].due}

    def _fetch(self, statement: Select[Any], bound: dict[str, Any]) -> list[Any]:
        return list(
            self._db.read(
                lambda connection: connection.execute(statement, bound).all(), patient=True
            )
        )

    def _filtered(self, query: Query) -> Select[Any]:
        matches = self._db.dialect.matches
        statement = whole()
        if query.name_like is not None:
            statement = statement.where(matches(plan.c.name, query.name_like))
        if query.task_like is not None:
            statement = statement.where(matches(entry.c.task, query.task_like))
        if query.source is not None:
            statement = statement.where(entry.c.source == query.source)
        if query.due_before is not None:
            statement = statement.where(plan.c.due < micros(query.due_before))
        if query.enabled is not None:
            statement = statement.where(plan.c.active == int(query.enabled))
        return statement

    def applied(self, source: str) -> Applied | None:
        row = self._db.read(
            lambda connection: connection.execute(
                select(applied).where(applied.c.source == source)
            ).one_or_none()
        )
        return None if row is None else Applied(source, moment_of(row.loaded_at), row.digest)

    def mark_applied(self, mark: Applied) -> None:
        def put(connection: Connection) -> None:
            values = {"loaded_at": micros(mark.loaded_at), "digest": mark.digest}
            found = connection.execute(
                applied.update().where(applied.c.source == mark.source).values(values)
            )
            if not found.rowcount:
                connection.execute(applied.insert().values(source=mark.source, **values))

        self._db.write(put)

    def unreadable(self) -> list[str]:
        """A line for each entry that this program cannot read."""
        every = self._walk(whole(), by_due=False)
        lines = (self._reader.problem(row) for page in every for row in page)
        return [line for line in lines if line is not None]
