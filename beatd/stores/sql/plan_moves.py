"""Update when entries run next, unless their rows have changed since they were read.

`Dialect.moving` names the fastest way in each database:

"returning", PostgreSQL: one UPDATE returns the names of the rows that it changed.

"each", SQLite: one small UPDATE for each row. If one of the rows has changed since it was read, all
updates are rolled back and repeated as "returning".

"locked", MariaDB and MySQL: a SELECT locks the rows that are still as they were read, and a second
statement writes them. A joined UPDATE would take three times as long.
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
    update,
)

from beatd.stores.sql.dialect import Dialect, Kind
from beatd.stores.sql.tables import plan

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
# SQLAlchemy offers this clause only for rows that are given one by one.
ON_DUPLICATE_KEY = (
    "ON DUPLICATE KEY UPDATE planned = v.planned, due = v.due,"
    " fingerprint = v.fingerprint, rules = v.rules, runs = beatd_plan.runs + v.counts,"
    " last = GREATEST(COALESCE(beatd_plan.last, v.last), COALESCE(v.last, beatd_plan.last))"
)


class PlanMoves:
    """Updates when entries run next, except entries whose rows changed since they were read."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._batch = dialect.batch(**COLUMNS)
        v = self._batch.c
        self._returning = _move_on(v).returning(plan.c.name)
        self._as_seen = (
            select(plan.c.name)
            .join(self._batch.relation, plan.c.name == v["name"])
            .where(*_as_seen(v))
            .order_by(plan.c.name)
            .with_for_update(of=plan)
        )
        nothing: Any = literal_column("0")
        cells = {"name": v["name"], "revision": nothing, "active": nothing, "runs": v["counts"]}
        cells |= {name: v[name] for name in ("planned", "due", "last", "fingerprint", "rules")}
        written = select(*cells.values()).suffix_with(ON_DUPLICATE_KEY)
        self._rewrite = plan.insert().from_select(list(cells), written)
        self._each = ""
        self._order: Sequence[int] = ()

    def __call__(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> set[str]:
        """Write when these entries run next, and return the names of the updated entries.

        An entry is left out if it is paused or disabled, or has changed since it was read. `rows`
        are sorted by name, with values in the order of `COLUMNS`.
        """
        if self._dialect.moving == "each":
            return self._move_each(connection, rows)
        bound = self._batch.bind(rows)
        if self._dialect.moving == "returning":
            return set(connection.execute(self._returning, bound).scalars().all())
        moved = set(connection.execute(self._as_seen, bound).scalars().all())
        if moved:
            as_seen = [row for row in rows if row[0] in moved]
            connection.execute(self._rewrite, self._batch.bind(as_seen))
        return moved

    def _move_each(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> set[str]:
        if not self._each:
            named: dict[str, Any] = {name: bindparam(f"v_{name}") for name in COLUMNS}
            compiled: Any = _move_on(named).compile(dialect=connection.dialect)
            places = {f"v_{name}": place for place, name in enumerate(COLUMNS)}
            self._order = [places[name] for name in compiled.positiontup or ()]
            self._each = str(compiled)
        order = self._order
        connection.exec_driver_sql("SAVEPOINT beatd_move")
        values = [tuple([row[place] for place in order]) for row in rows]
        if connection.exec_driver_sql(self._each, values).rowcount == len(rows):
            moved = {row[0] for row in rows}
        else:
            connection.exec_driver_sql("ROLLBACK TO beatd_move")
            bound = self._batch.bind(rows)
            moved = set(connection.execute(self._returning, bound).scalars().all())
        connection.exec_driver_sql("RELEASE beatd_move")
        return moved


def _as_seen(v: Any) -> tuple[Any, ...]:
    # A paused or disabled entry is not active. `v` has the rows as they were read.
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
