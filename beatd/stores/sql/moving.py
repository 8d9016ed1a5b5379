"""The plan moved on: rows compared with what was seen and changed, by what each database does best.

PostgreSQL: one update that tells which rows it found.
SQLite: one small update for each row; undone and told only where one was not as seen.
MariaDB: the rows are locked as seen and then written; a joined update would take thrice as long.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Update,
    bindparam,
    case,
    literal_column,
    or_,
    select,
    text,
    update,
)

from beatd.stores.sql.dialect import Dialect, Kind
from beatd.stores.sql.schema import plan

COLUMNS: dict[str, Kind] = {
    "name": "text",
    "revision": "int",
    "seen": "int",
    "planned": "int",
    "due": "int",
    "fingerprint": "text",
    "rules": "text",
    "counts": "int",
    "last": "int",
}
ONE: Any = literal_column("1")
REWRITE = (
    "INSERT INTO beatd_plan (name, revision, active, planned, due, runs, last, fingerprint, rules)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON DUPLICATE KEY UPDATE"
    " planned = VALUES(planned), due = VALUES(due),"
    " fingerprint = VALUES(fingerprint), rules = VALUES(rules),"
    " runs = beatd_plan.runs + VALUES(runs),"
    " last = GREATEST(COALESCE(beatd_plan.last, VALUES(last)),"
    " COALESCE(VALUES(last), beatd_plan.last))"
)


class Moving:
    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._batch = dialect.batch(**COLUMNS)
        v = self._batch.c
        self._told = _move_on(v).returning(plan.c.name)
        self._as_seen = (
            select(plan.c.name)
            .join(self._batch.relation, plan.c.name == v["name"])
            .where(*_as_seen(v))
            .order_by(plan.c.name)
            .with_for_update(of=plan)
        )
        self._each = ""
        self._order: Sequence[int] = ()

    def __call__(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> set[str]:
        """The names of those that were as seen, and have moved; rows come in order of names."""
        if self._dialect.moving == "each":
            return self._move_each(connection, rows)
        bound = self._batch.bind(rows)
        if self._dialect.moving == "told":
            return set(connection.execute(self._told, bound).scalars().all())
        moved = set(connection.execute(self._as_seen, bound).scalars().all())
        values = [
            (name, 0, 0, planned, due, counts, last, mark, rules)
            for name, _, _, planned, due, mark, rules, counts, last in rows
            if name in moved
        ]
        if values:
            connection.exec_driver_sql(REWRITE, values)
        return moved

    def _move_each(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> set[str]:
        if not self._each:
            named: dict[str, Any] = {name: bindparam(f"v_{name}") for name in COLUMNS}
            compiled: Any = _move_on(named).compile(dialect=connection.dialect)
            places = {f"v_{name}": place for place, name in enumerate(COLUMNS)}
            self._order = [places[name] for name in compiled.positiontup or ()]
            self._each = str(compiled)
        order = self._order
        connection.execute(text("SAVEPOINT beatd_move"))
        values = [tuple([row[place] for place in order]) for row in rows]
        if connection.exec_driver_sql(self._each, values).rowcount == len(rows):
            moved = {row[0] for row in rows}
        else:
            connection.execute(text("ROLLBACK TO beatd_move"))
            bound = self._batch.bind(rows)
            moved = set(connection.execute(self._told, bound).scalars().all())
        connection.execute(text("RELEASE beatd_move"))
        return moved


def _as_seen(v: Any) -> tuple[Any, ...]:
    return plan.c.revision == v["revision"], plan.c.planned == v["seen"], plan.c.active == ONE


def _move_on(v: Any) -> Update:
    newer = or_(plan.c.last.is_(None), plan.c.last < v["last"])
    return (
        update(plan)
        .where(plan.c.name == v["name"], *_as_seen(v))
        .values(
            planned=v["planned"],
            due=v["due"],
            fingerprint=v["fingerprint"],
            rules=v["rules"],
            runs=plan.c.runs + v["counts"],
            last=case((newer, v["last"]), else_=plan.c.last),
        )
    )
