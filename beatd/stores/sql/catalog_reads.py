"""Find entries in a SQL store, and read and write marks. A mark is a short text stored under a key,
for example about the entries that a configuration file declared."""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain, islice
from typing import Any

from msgspec.structs import replace
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from beatd.catalog import Query, Stored
from beatd.marks import Mark, Marks
from beatd.run import Running, micros, moment_of
from beatd.stores.embedded.query import CHECKED, beginning
from beatd.stores.sql.dialect import Dialect, literally
from beatd.stores.sql.entry_reader import CHUNK, OVERLAP, whole
from beatd.stores.sql.store_part import Part
from beatd.stores.sql.tables import applied, edits, entry, plan

VERSION = select(edits.c.count)
FEW = 10_000
LAST_LETTER = "\U0010ffff"
ZERO: Any = literal_column("0")


class SqlFinding(Part):
    """The part of a SQL store that finds entries, and reads and writes marks (short texts under a
    key). `find` reads entries page by page, so memory use does not grow with their number."""

    def version(self) -> str:
        return str(self._db.read(lambda connection: connection.scalar(VERSION)))

    def count(self) -> int:
        statement = select(func.count()).select_from(entry)
        return int(self._db.read(lambda connection: connection.scalar(statement) or 0))

    def find(self, query: Query) -> Iterator[Stored]:
        left = query.limit
        for page in self._pages(query):
            running = self._running_in(page)
            for row in page:
                stored = self._reader.stored(row, running=running.get(row.name))
                if stored is None:
                    continue
                if left is not None:
                    if left <= 0:
                        return
                    left -= 1
                yield stored

    def _running_in(self, page: list[Any]) -> Mapping[str, Running]:
        if not any(OVERLAP in row.definition for row in page):
            return {}
        return self._db.read(partial(self._reader.running, rows=page))

    def _pages(self, query: Query) -> Iterator[list[Any]]:
        few = self._few(query)
        statement = narrowed(whole(), query, self._db.dialect)
        if few is not None:
            yield from self._named(statement, few)
        elif query.order == "name":
            yield from self._walk(statement, by_due=False)
        else:
            yield from self._walk(statement.where(plan.c.due.is_not(None)), by_due=True)
            if query.due_before is None:
                yield from self._walk(statement.where(plan.c.due.is_(None)), by_due=False)

    def _few(self, query: Query) -> list[str] | None:
        """Return the names of the entries that may match the query, in the query's order. Return
        None if the query lists no names and no index finds at most 10,000; the caller must then
        read all entries."""
        keys = select(plan.c.name, plan.c.due)
        found: list[Any] = []
        if query.names is not None:
            names = sorted(set(query.names))
            if query.order == "name":
                return names
            among = keys.join(self._names.relation, self._names.c.name == plan.c.name)
            for start in range(0, len(names), CHUNK):
                bound = self._names.bind([[name] for name in names[start : start + CHUNK]])
                found += self._fetch(among, bound)
        elif index := narrow_index(query):
            # Sorted by the columns of that index, so that the planner uses it in any case.
            if query.source is not None:
                keys = keys.join_from(plan, entry, entry.c.name == plan.c.name)
            wide = replace(query, task_like=None)  # no index holds the task
            statement = narrowed(keys, wide, self._db.dialect).order_by(*index)
            found = self._fetch(statement.limit(literally(FEW + 1)), {})
            if len(found) > FEW:
                return None
        else:
            return None
        if query.order == "next":
            found.sort(key=lambda row: (row.due is None, row.due or 0, row.name))
        else:
            found.sort(key=lambda row: row.name)
        return [row.name for row in found]

    def _named(self, statement: Select[Any], names: list[str]) -> Iterator[list[Any]]:
        """Yield the rows that `statement` finds for `names`, in pages, in the order of `names`.
        Names without a row are left out."""
        among = statement.join(self._names.relation, self._names.c.name == plan.c.name)
        for start in range(0, len(names), CHUNK):
            chunk = names[start : start + CHUNK]
            rows = self._fetch(among, self._names.bind([[name] for name in chunk]))
            by_name = {row.name: row for row in rows}
            yield [by_name[name] for name in chunk if name in by_name]

    def _walk(self, statement: Select[Any], *, by_due: bool) -> Iterator[list[Any]]:
        """Yield all rows that `statement` finds, in pages, sorted by name. If `by_due` is True,
        sort them by due time and then by name."""
        size = 100  # the first page is small: most callers show one screen
        order = (plan.c.due, plan.c.name) if by_due else (plan.c.name,)
        beyond: ColumnElement[bool] = plan.c.name > bindparam("name")
        if by_due:
            beyond = and_(
                plan.c.due >= bindparam("due"), or_(plan.c.due > bindparam("due"), beyond)
            )
        # Each page starts after the last row of the page before, in a short transaction of its own.
        # An OFFSET would read all earlier rows again.
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

    @property
    def marks(self) -> Marks:
        return Marks(self)

    def read_mark(self, key: str) -> Mark | None:
        row = self._db.read(
            lambda connection: connection.execute(
                select(applied).where(applied.c.source == key)
            ).one_or_none()
        )
        if row is None:
            return None
        what = f"the mark of {key!r}"
        return self._damage.read(what, lambda: Mark(key, moment_of(row.loaded_at), row.digest))

    def write_mark(self, mark: Mark) -> None:
        def put(connection: Connection) -> None:
            values = {"loaded_at": micros(mark.at), "digest": mark.text}
            found = connection.execute(
                applied.update().where(applied.c.source == mark.key).values(values)
            )
            if not found.rowcount:
                connection.execute(applied.insert().values(source=mark.key, **values))

        self._db.write(put)

    def unreadable(self) -> list[str]:
        """Return an error message for each stored entry that cannot be decoded. Only the 10,000
        entries that are due first are checked."""
        rows = chain.from_iterable(self._pages(Query(order="next")))
        lines = (self._reader.problem(row) for row in islice(rows, CHECKED))
        return [line for line in lines if line is not None]


def narrow_index(query: Query) -> tuple[Column[Any], ...]:
    """Return the columns of an index that finds the query's entries, for example (due, name).
    Return () if only a scan of all entries can find them."""
    if query.due_before is not None:
        return plan.c.due, plan.c.name
    if query.source is not None:
        return entry.c.source, entry.c.name
    if query.enabled is False or beginning(query.name_like):
        return (plan.c.name,)
    return ()


def narrowed(statement: Select[Any], query: Query, dialect: Dialect) -> Select[Any]:
    """Return `statement` with the query's filters as WHERE conditions, except `query.names`."""
    if query.name_like is not None:
        statement = statement.where(dialect.matches(plan.c.name, query.name_like))
        if start := beginning(query.name_like):
            # Added to the pattern, which not every database turns into a range of its index.
            statement = statement.where(plan.c.name.between(start, start + LAST_LETTER))
    if query.task_like is not None:
        statement = statement.where(dialect.matches(entry.c.task, query.task_like))
    if query.source is not None:
        statement = statement.where(entry.c.source == query.source)
    if query.due_before is not None:
        statement = statement.where(plan.c.due < micros(query.due_before))
    if query.rules_before is not None:
        statement = statement.where(plan.c.rules < query.rules_before)
    if query.enabled is not None:
        # A literal, not a parameter: only then can the partial index of stopped entries serve it.
        # And compared with 0: its estimate is right even before the table was analyzed.
        active = plan.c.active != ZERO if query.enabled else plan.c.active == ZERO
        statement = statement.where(active)
    return statement
