"""Find entries in a SQL store, and read and write short notes under keys, called marks."""

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain, islice
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select

from beatd.catalog import Codec, PlannedEntry, Position, Query, Stored
from beatd.changes import Pause
from beatd.marks import Mark, Marks
from beatd.run import Running, micros, moment_of
from beatd.stores.embedded.query import CHECKED
from beatd.stores.sql.change_rows import pause_of
from beatd.stores.sql.database import Database
from beatd.stores.sql.dialect import literally
from beatd.stores.sql.entry_reader import CHUNK, uses_overlap, whole
from beatd.stores.sql.query_conditions import conditions, narrow_index, without_index
from beatd.stores.sql.store_part import Part
from beatd.stores.sql.tables import applied, edits, entry, pause, plan

VERSION = select(edits.c.count)
TIMES = select(
    *(plan.c.name, plan.c.due, plan.c.planned, plan.c.runs, entry.c.definition)
).join_from(plan, entry, entry.c.name == plan.c.name)
FEW = 10_000
FIRST_PAGE = 100  # rows; it is small, since most callers show one screen


class SqlFinding(Part):
    """The part of a SQL store that finds entries, and keeps short notes about their owners.

    `find` reads entries page by page, so memory use does not grow with their number.
    """

    def __init__(self, database: Database, codec: Codec) -> None:
        super().__init__(database, codec)
        named = self._names.c.name
        self._pauses = select(pause).join(self._names.relation, named == pause.c.name)
        self._existing = select(entry.c.name).join(self._names.relation, named == entry.c.name)

    def version(self) -> str:
        return str(self._db.read(lambda connection: connection.scalar(VERSION)))

    def count(self) -> int:
        statement = select(func.count()).select_from(entry)
        return int(self._db.read(lambda connection: connection.scalar(statement) or 0))

    def existing(self, names: Sequence[str]) -> set[str]:
        found: set[str] = set()
        wanted = sorted(set(names))
        for start in range(0, len(wanted), CHUNK):
            bound = self._names.bind([[name] for name in wanted[start : start + CHUNK]])
            found |= {row.name for row in self._fetch(self._existing, bound)}
        return found

    def find(self, query: Query) -> Iterator[Stored]:
        left = query.limit
        for page in self._pages(query):
            running, pauses = self._running_in(page), self._pauses_in(page)
            for row in page:
                stored = self._reader.stored(row, running=running.get(row.name))
                if stored is None:
                    continue
                if left is not None:
                    if left <= 0:
                        return
                    left -= 1
                stopped = pauses.get(row.name)
                yield stored if stopped is None else replace(stored, pause=stopped)

    def plans_before(self, before: datetime, limit: int) -> Iterator[PlannedEntry]:
        wanted = conditions(Query(enabled=True, due_before=before), self._db.dialect)
        pages = self._walk(TIMES.where(*wanted), by_due=True, after=None, patient=False)
        found = map(self._reader.planned_entry, chain.from_iterable(pages))
        return islice((one for one in found if one is not None), limit)

    def _running_in(self, page: list[Any]) -> Mapping[str, Running]:
        if not any(uses_overlap(row.definition) for row in page):
            return {}
        return self._db.read(partial(self._reader.running, rows=page))

    def _pauses_in(self, page: list[Any]) -> Mapping[str, Pause]:
        names = [row.name for row in page if row.paused]
        if not names:
            return {}
        bound = self._names.bind([[name] for name in names])
        read = (
            (
                row.name,
                self._damage.read(f"the pause of entry {row.name!r}", partial(pause_of, row.pause)),
            )
            for row in self._fetch(self._pauses, bound)
        )
        return {name: stopped for name, stopped in read if stopped is not None}

    def _pages(self, query: Query) -> Iterator[list[Any]]:
        few = self._few(query)
        wanted = conditions(query, self._db.dialect)
        if few is not None:
            yield from self._named(whole().where(without_index(wanted)) if wanted else whole(), few)
            return
        statement, after = whole().where(*wanted), query.after
        if query.order == "name":
            of_source = query.source is not None and query.due_before is None
            yield from self._walk(statement, by_due=False, after=after, of_source=of_source)
        else:
            if after is None or after.due is not None:
                planned = statement.where(plan.c.due.is_not(None))
                yield from self._walk(planned, by_due=True, after=after)
                after = None
            if query.due_before is None:
                stopped = statement.where(plan.c.due.is_(None))
                yield from self._walk(stopped, by_due=False, after=after)

    def _few(self, query: Query) -> list[str] | None:
        keys = select(plan.c.name, plan.c.due)
        found: list[Any] = []
        if query.names is not None:
            names = sorted(set(query.names))
            if query.order == "name":
                return [name for name in names if query.after is None or name > query.after.name]
            among = keys.join(self._names.relation, self._names.c.name == plan.c.name)
            for start in range(0, len(names), CHUNK):
                bound = self._names.bind([[name] for name in names[start : start + CHUNK]])
                found += self._fetch(among, bound)
        elif index := narrow_index(query):
            if index[0] is entry.c.source and query.order == "name":
                return None  # that index has the entries of a source in this order
            # Sorted by the columns of that index, so that the planner uses it in any case.
            if query.source is not None:
                keys = keys.join_from(plan, entry, entry.c.name == plan.c.name)
            # No index holds the task, nor whether a stopped entry is paused.
            enabled = False if query.paused else query.enabled
            wide = replace(query, task_like=None, contains=None, paused=None, enabled=enabled)
            statement = keys.where(*conditions(wide, self._db.dialect)).order_by(*index)
            found = self._fetch(statement.limit(literally(FEW + 1)), {})
            if len(found) > FEW:
                # No index finds at most FEW entries: the caller reads all.
                return None
        else:
            return None
        by_due = query.order == "next"
        places = sorted(_place(name, due, by_due=by_due) for name, due in found)
        if query.after is not None:
            due = None if query.after.due is None else micros(query.after.due)
            places = places[bisect(places, _place(query.after.name, due, by_due=by_due)) :]
        return [place[-1] for place in places]

    def _named(self, statement: Select[Any], names: list[str]) -> Iterator[list[Any]]:
        among = statement.join(self._names.relation, self._names.c.name == plan.c.name)
        start, size = 0, FIRST_PAGE
        while start < len(names):
            chunk = names[start : start + size]
            start, size = start + size, CHUNK
            bound = self._names.bind([[name] for name in chunk])
            rows = self._fetch(among, bound, patient=len(chunk) > FIRST_PAGE)
            by_name = {row.name: row for row in rows}
            yield [by_name[name] for name in chunk if name in by_name]

    def _walk(
        self,
        statement: Select[Any],
        *,
        by_due: bool,
        after: Position | None,
        of_source: bool = False,
        patient: bool = True,
    ) -> Iterator[list[Any]]:
        size = FIRST_PAGE
        name = entry.c.name if of_source else plan.c.name
        order = (plan.c.due, name) if by_due else (entry.c.source, name) if of_source else (name,)
        beyond: ColumnElement[bool] = name > bindparam("name")
        if by_due:
            beyond = and_(
                plan.c.due >= bindparam("due"), or_(plan.c.due > bindparam("due"), beyond)
            )
        # Each page starts after the last row of the page before, in a short transaction of its own.
        # An OFFSET would read all earlier rows again.
        ordered = statement.order_by(*order)
        bound: dict[str, Any] = {}
        if after is not None:
            due = None if after.due is None else micros(after.due)
            bound = {"name": after.name, "due": due}
        while True:
            behind = ordered.where(beyond) if bound else ordered
            page = self._fetch(behind.limit(literally(size)), bound, patient=patient)
            if page:
                yield page
            if len(page) < size:
                return
            size = CHUNK
            bound = {"name": page[-1].name, "due": page[-1].due}

    def _fetch(
        self, statement: Select[Any], bound: dict[str, Any], *, patient: bool = True
    ) -> list[Any]:
        # A read of a few rows by their keys needs no patience, which costs three round trips.
        return list(
            self._db.read(
                lambda connection: connection.execute(statement, bound).all(), patient=patient
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
        """Return an error message for each stored entry that this program cannot decode.

        Only the 10,000 entries that are due first are checked.
        """
        rows = chain.from_iterable(self._pages(Query(order="next")))
        lines = (self._reader.problem(row) for row in islice(rows, CHECKED))
        return [line for line in lines if line is not None]


def _place(name: str, due: int | None, *, by_due: bool) -> tuple[bool, int, str]:
    return (due is None, due or 0, name) if by_due else (False, 0, name)
