"""Write, pause and remove entries, and update their next runs, in a SQL store.

A thousand changes need only a few SQL statements.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Select, case, delete, null, select, update

from beatd.catalog import Change, Codec
from beatd.run import micros
from beatd.stores.searched_tasks import searched_text
from beatd.stores.sql.catalog_reads import SqlFinding
from beatd.stores.sql.changes import SqlChanges
from beatd.stores.sql.database import Database
from beatd.stores.sql.dialect import deletion
from beatd.stores.sql.entry_reader import CHUNK
from beatd.stores.sql.history_rows import OF_REQUEST, Line, of_skip
from beatd.stores.sql.missing_parts import SqlMissingParts, edits_so_far
from beatd.stores.sql.tables import edits, entry, entry_outcome, plan, request, running


class SqlCatalog(SqlFinding, SqlMissingParts, SqlChanges):
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
        # An entry resumed without a new plan: its old moment is no next moment.
        stays = case(((v.c.active == 1) & plan.c.due.is_(None), null()), else_=plan.c.planned)
        self._update_plans = (
            update(plan)
            .where(plan.c.name == v.c.name)
            .values(
                revision=v.c.revision,
                active=v.c.active,
                planned=case((v.c.given == 1, v.c.planned), else_=stays),
                due=case((v.c.given + 1 - v.c.active > 0, v.c.due), else_=plan.c.due),
                **{
                    name: case((v.c.given == 1, v.c[name]), else_=plan.c[name])
                    for name in ("fingerprint", "rules")
                },
            )
        )
        named = self._names.c.name
        progress = ("planned", "runs", "last")
        self._seen = (
            select(
                *(plan.c[name] for name in ("name", "revision", "fingerprint", "due", *progress))
            )
            .join(self._names.relation, named == plan.c.name)
            .order_by(plan.c.name)
            .with_for_update(of=plan)
        )
        self._removals = [
            deletion(database.dialect, table, self._names)
            for table in (entry, plan, running, entry_outcome)
        ]
        self._asked_by = select(request).join(self._names.relation, named == request.c.name)
        self._backlogs = self._asked_by.where(request.c.kind == "backlog")

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
        # Writers wait for each other here, and so never for each other's rows. The number of
        # edits is also the new revision: a name removed and added again never repeats one.
        count = edits_so_far(connection)
        names = self._names.bind([[name] for name in sorted({change.name for change in changes})])
        seen = {row.name: row for row in connection.execute(self._seen, names)}
        added = (change.name for change in changes if not change.seen)
        incomplete = self._remove_incomplete(connection, added, seen)
        if incomplete:
            seen = {name: row for name, row in seen.items() if name not in incomplete}
        revisions = {name: row.revision for name, row in seen.items()}
        progress = {name: (row.planned, row.runs, row.last) for name, row in seen.items()}
        new = count + 1
        done: list[bool] = []
        made: list[tuple[Change, str]] = []
        removed: set[str] = set()
        for change, definition in zip(changes, encoded, strict=True):
            accepted = revisions.get(change.name, 0) == change.seen and (
                change.plan is None
                or not change.seen
                or progress.get(change.name) == _progress_seen(change)
            )
            done.append(accepted)
            if accepted and (change.entry is not None or change.seen):
                revisions[change.name] = new if change.entry is not None else 0
                made.append((change, definition))
                if change.entry is None and change.name in seen:
                    removed.add(change.name)
        last = {one.name: (one, definition) for one, definition in made}
        if last or incomplete:
            before = self._change_writes.before(connection, made, seen)
            connection.execute(update(edits).values(count=new))
            self._remove(connection, removed)
            there = {name: row for name, row in seen.items() if name not in removed}
            self._end_lost(connection, incomplete, last)
            self._put(connection, there, last, new)
            self._change_writes.write(connection, made, before, incomplete)
            self._wait_no_longer(connection, there.keys() | incomplete, last)
            stood = {name: row.planned for name, row in seen.items()}
            self._pass_over(connection, [change for change, _ in last.values()], stood)
            self._db.dialect.notify(connection)
        return done

    def _remove(self, connection: Connection, names: set[str]) -> None:
        if names:
            rows = [[name] for name in sorted(names)]
            for statement in self._removals:
                connection.execute(statement, self._names.bind(rows))
            self._drop(connection, self._asked_by, rows, "removed")

    def _end_lost(
        self, connection: Connection, incomplete: set[str], last: dict[str, tuple[Change, str]]
    ) -> None:
        # What was left of these entries is gone; they are removed, or planned anew.
        put = {name: one for name, (one, _) in last.items() if one.entry is not None}
        removed = [[name] for name in sorted(incomplete) if name not in put]
        planned = [[name] for name in sorted(incomplete) if name in put and put[name].plan]
        if removed:
            self._remove_runs(connection, removed)
            self._drop(connection, self._asked_by, removed, "removed")
        if planned:
            self._drop(connection, self._backlogs, planned, "edited")

    def _put(
        self,
        connection: Connection,
        there: dict[str, Row[Any]],
        last: dict[str, tuple[Change, str]],
        revision: int,
    ) -> None:
        # `there` has the entries that exist, by name; `last` has the last change of each entry and
        # its encoded definition. An edit ends missed runs that are still to do (backlogs), and runs
        # asked for past moments (backfills) if the change calls them off.
        edited, resumed = list[list[str]](), list[list[str]]()
        for name, (change, _) in last.items():
            if name in there and change.plan is not None:
                if change.plan.fingerprint != there[name].fingerprint:
                    edited.append([name])
                elif there[name].due is None and change.plan.due is not None and _is_active(change):
                    resumed.append([name])
        for dropped, reason in ((edited, "edited"), (resumed, "resumed")):
            if dropped:
                self._drop(connection, self._backlogs, dropped, reason)
        off = [[name] for name, (change, _) in last.items() if change.calls_off]
        if off:
            backfills = self._asked_by.where(request.c.kind == "backfill")
            self._drop(connection, backfills, off, "called off")
        for known, entries, plans in (
            (False, self._insert_entries, self._insert_plans),
            (True, self._update_entries, self._update_plans),
        ):
            # A change without an entry removes the entry: nothing is written for it.
            put = [last[n] for n in sorted(last) if (n in there) is known and last[n][0].entry]
            if put:
                rows = [_entry_row(change, definition, revision) for change, definition in put]
                connection.execute(entries, self._entry_rows.bind(rows))
                rows = [_plan_row(change, revision) for change, _ in put]
                connection.execute(plans, self._plan_rows.bind(rows))

    def _wait_no_longer(
        self, connection: Connection, before: set[str], last: dict[str, tuple[Change, str]]
    ) -> None:
        # `before` has the names of which the store has something, also if it lost a part.
        edited = [change for name, (change, _) in last.items() if name in before and change.entry]
        planned = {change.name for change in edited if change.plan is not None}
        allowed = {
            change.name for change in edited if change.entry and change.entry.overlap == "allow"
        }
        if planned or allowed:
            self._running.forget_waits(connection, planned, allowed)

    def _pass_over(
        self, connection: Connection, changes: Sequence[Change], stood: dict[str, int | None]
    ) -> None:
        # `stood` has the moments for which the entries were planned before the changes. If a run
        # was reserved meanwhile, the plan has moved on, and the skip no longer counts.
        passed = [
            (change.name, change.skip)
            for change in changes
            if change.skip is not None and stood.get(change.name) == micros(change.skip.planned)
        ]
        passed += [(change.name, change.missed) for change in changes if change.missed is not None]
        if passed:
            at = self._db.dialect.now(connection)
            self._tell(connection, [of_skip(name, skip, at, term=0) for name, skip in passed])

    def _drop(
        self, connection: Connection, asked: Select[Any], names: list[list[str]], reason: str
    ) -> None:
        dropped = connection.execute(asked, self._names.bind(names)).all()
        if not dropped:
            return
        connection.execute(delete(request).where(request.c.seq.in_([row.seq for row in dropped])))
        at = self._db.dialect.now(connection)
        # Each deleted request leaves a record of its skipped runs in the history.
        lines = [
            Line(
                row.name,
                row.first_at,
                at,
                "skipped",
                reason,
                until=row.last_at if row.last_at > row.first_at else None,
                at_least=int(row.last_at > row.first_at),
                origin=OF_REQUEST.get(row.kind, "planned"),
            )
            for row in dropped
        ]
        self._tell(connection, lines)


def _progress_seen(change: Change) -> tuple[int | None, int, int | None]:
    seen = change.progress
    planned = None if seen.planned is None else micros(seen.planned)
    return planned, seen.runs, None if seen.last is None else micros(seen.last)


def _is_active(change: Change) -> bool:
    return change.entry is not None and change.entry.enabled and not change.paused


def _entry_row(change: Change, definition: str, revision: int) -> list[Any]:
    entry = change.entry
    assert entry is not None, "only entries are put"
    return [
        entry.name,
        revision,
        searched_text(entry),
        entry.source,
        entry.declared_at,
        int(entry.enabled),
        int(change.paused),
        definition,
    ]


def _plan_row(change: Change, revision: int) -> list[Any]:
    assert change.entry is not None, "only entries are planned"
    active = int(_is_active(change))
    before = [change.runs, None if change.last is None else micros(change.last)]
    given = change.plan
    if given is None:
        return [change.name, revision, active, 0, None, None, "", "", *before]
    planned = None if given.planned is None else micros(given.planned)
    # A paused or disabled entry is never due, whatever its plan.
    due = None if given.due is None or not active else micros(given.due)
    return [change.name, revision, active, 1, planned, due, given.fingerprint, given.rules, *before]
