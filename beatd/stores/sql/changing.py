"""Entries put, re-planned, paused and removed: a thousand changes are a handful of statements."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Select, case, delete, select, update

from beatd.catalog import Change, Codec
from beatd.run import micros
from beatd.stores.sql.database import Database
from beatd.stores.sql.finding import SqlFinding
from beatd.stores.sql.reader import CHUNK
from beatd.stores.sql.records import Line
from beatd.stores.sql.schema import edits, entry, plan, request


class SqlCatalog(SqlFinding):
    def __init__(self, database: Database, codec: Codec) -> None:
        super().__init__(database, codec)
        batch = database.dialect.batch
        v = self._entry_rows = batch(
            name="text",
            revision="int",
            task="text",
            source="text",
            declared_at="text",
            enabled="int",
            paused="int",
            definition="text",
        )
        columns = [column.name for column in entry.columns]
        self._insert_entries = entry.insert().from_select(
            columns, select(*(v.c[name] for name in columns))
        )
        self._update_entries = (
            update(entry)
            .where(entry.c.name == v.c.name)
            .values({name: v.c[name] for name in columns if name != "name"})
        )
        v = self._plan_rows = batch(
            name="text",
            revision="int",
            active="int",
            given="int",
            planned="int",
            due="int",
            fingerprint="text",
            rules="text",
            runs="int",
            last="int",
        )
        columns = ["name", "revision", "active", "planned", "due", "fingerprint", "rules"]
        columns += ["runs", "last"]
        self._insert_plans = plan.insert().from_select(
            columns, select(*(v.c[name] for name in columns))
        )
        moved = ("fingerprint", "rules")
        ahead = ("planned", "due")
        self._update_plans = (
            update(plan)
            .where(plan.c.name == v.c.name)
            .values(
                revision=v.c.revision,
                active=v.c.active,
                **{name: case((v.c.given == 1, v.c[name]), else_=plan.c[name]) for name in moved},
                **{
                    name: case((v.c.given + 1 - v.c.active > 0, v.c[name]), else_=plan.c[name])
                    for name in ahead
                },
            )
        )
        named = self._names.c.name
        self._seen = (
            select(plan.c.name, plan.c.revision, plan.c.fingerprint)
            .join(self._names.relation, named == plan.c.name)
            .order_by(plan.c.name)
            .with_for_update(of=plan)
        )
        self._removals = [
            delete(table).where(table.c.name.in_(select(named))) for table in (entry, plan)
        ]
        self._asked_by = select(request).join(self._names.relation, named == request.c.name)

    def write(self, changes: Sequence[Change]) -> Sequence[bool]:
        done: list[bool] = []
        for start in range(0, len(changes), CHUNK):
            chunk = changes[start : start + CHUNK]
            encoded = [
                "" if change.entry is None else self._codec.encode(change.entry).decode()
                for change in chunk
            ]
            done += self._db.write(partial(self._change, chunk, encoded))
        return done

    def _change(
        self, changes: Sequence[Change], encoded: Sequence[str], connection: Connection
    ) -> list[bool]:
        # Writers queue here, so that two of them never wait for each other's rows. The number of
        # edits is also the new revision: a name removed and added again never repeats one.
        count = connection.scalar(select(edits.c.count).with_for_update()) or 0
        names = self._names.bind([[name] for name in sorted({change.name for change in changes})])
        seen = {row.name: row for row in connection.execute(self._seen, names)}
        revisions = {name: row.revision for name, row in seen.items()}
        new = count + 1
        done: list[bool] = []
        last: dict[str, tuple[Change, str]] = {}
        removed: set[str] = set()
        for change, definition in zip(changes, encoded, strict=True):
            accepted = revisions.get(change.name, 0) == change.seen
            done.append(accepted)
            if accepted and (change.entry is not None or change.seen):
                revisions[change.name] = new if change.entry is not None else 0
                last[change.name] = (change, definition)
                if change.entry is None and change.name in seen:
                    removed.add(change.name)
        if last:
            connection.execute(update(edits).values(count=new))
            self._remove(connection, removed)
            there = {name: row.fingerprint for name, row in seen.items() if name not in removed}
            self._put(connection, there, last, new)
            self._db.dialect.notify(connection)
        return done

    def _remove(self, connection: Connection, names: set[str]) -> None:
        if names:
            rows = [[name] for name in sorted(names)]
            for statement in self._removals:
                connection.execute(statement, self._names.bind(rows))
            self._drop(connection, self._asked_by, rows, "removed")

    def _put(
        self,
        connection: Connection,
        there: dict[str, str],
        last: dict[str, tuple[Change, str]],
        revision: int,
    ) -> None:
        """`there` has the fingerprints of the entries that are to be changed, not added."""
        edited = [
            [name]
            for name, (change, _) in last.items()
            if name in there and change.plan is not None and change.plan.fingerprint != there[name]
        ]
        if edited:
            backlogs = self._asked_by.where(request.c.kind == "backlog")
            self._drop(connection, backlogs, edited, "edited")
        for known, entries, plans in (
            (False, self._insert_entries, self._insert_plans),
            (True, self._update_entries, self._update_plans),
        ):
            put = [last[n] for n in sorted(last) if (n in there) is known and last[n][0].entry]
            if put:
                rows = [_entry_row(change, definition, revision) for change, definition in put]
                connection.execute(entries, self._entry_rows.bind(rows))
                rows = [_plan_row(change, revision) for change, _ in put]
                connection.execute(plans, self._plan_rows.bind(rows))

    def _drop(
        self, connection: Connection, asked: Select[Any], names: list[list[str]], reason: str
    ) -> None:
        dropped = connection.execute(asked, self._names.bind(names)).all()
        if not dropped:
            return
        connection.execute(delete(request).where(request.c.seq.in_([row.seq for row in dropped])))
        at = self._db.dialect.now(connection)
        lines = [
            Line(row.name, row.first_at, at, "skipped", reason, until=row.last_at, at_least=1)
            if row.last_at > row.first_at
            else Line(row.name, row.first_at, at, "skipped", reason)
            for row in dropped
        ]
        self._tell(connection, lines)


def _entry_row(change: Change, definition: str, revision: int) -> list[Any]:
    entry = change.entry
    assert entry is not None, "only entries are put"
    return [
        entry.name,
        revision,
        entry.task,
        entry.source,
        entry.declared_at,
        int(entry.enabled),
        int(change.paused),
        definition,
    ]


def _plan_row(change: Change, revision: int) -> list[Any]:
    assert change.entry is not None, "only entries are planned"
    active = int(change.entry.enabled and not change.paused)
    before = [change.runs, None if change.last is None else micros(change.last)]
    given = change.plan
    if given is None:
        return [change.name, revision, active, 0, None, None, "", "", *before]
    # What is paused or disabled has nothing ahead, whatever came with it.
    planned = None if given.planned is None or not active else micros(given.planned)
    due = None if given.due is None or not active else micros(given.due)
    return [change.name, revision, active, 1, planned, due, given.fingerprint, given.rules, *before]
