"""Convert the conditions of a search for entries to SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, case, literal_column, or_, true

from beatd.catalog import Query
from beatd.run import micros
from beatd.stores.embedded.query import beginning
from beatd.stores.searched_tasks import inside_canvas
from beatd.stores.sql.dialect import Dialect
from beatd.stores.sql.tables import entry, plan

LAST_LETTER = "\U0010ffff"
ZERO: Any = literal_column("0")
ONE: Any = literal_column("1")


def narrow_index(query: Query) -> tuple[Column[Any], ...]:
    """Return the columns of the index that finds the entries of a search fastest, or () without
    one.

    An example is (due, name).
    """
    if query.due_before is not None:
        return plan.c.due, plan.c.name
    if query.source is not None:
        return entry.c.source, entry.c.name
    if query.enabled is False or query.paused or beginning(query.name_like):
        return (plan.c.name,)
    return ()


def conditions(query: Query, dialect: Dialect) -> list[ColumnElement[bool]]:
    """Convert the conditions of a search to SQL, for entries joined with their next runs.

    `query.names` and `query.after` are left to the caller.
    """
    found: list[Any] = []
    if query.name_like is not None:
        found.append(dialect.matches(plan.c.name, query.name_like))
        if start := beginning(query.name_like):
            # Added to the pattern, which not every database turns into a range of its index.
            found.append(plan.c.name.between(start, start + LAST_LETTER))
    if query.task_like is not None:
        patterns = query.task_like, inside_canvas(query.task_like)
        found.append(or_(*(dialect.matches(entry.c.task, pattern) for pattern in patterns)))
    if query.contains:
        columns = (plan.c.name, entry.c.task)
        found.append(or_(*(dialect.contains(column, query.contains) for column in columns)))
    if query.source is not None:
        found.append(entry.c.source == query.source)
    if query.due_before is not None:
        found.append(plan.c.due < micros(query.due_before))
    if query.rules_before is not None:
        found.append(plan.c.rules < query.rules_before)
    if query.paused is not None:
        found.append(entry.c.paused == int(query.paused))
    # Literals, not parameters: only then can the partial index of stopped entries serve them. And
    # compared with 0: its estimate is right even before the table was analyzed.
    if query.enabled is False or query.paused:
        found.append(plan.c.active == ZERO)
    if query.enabled:
        found.append(plan.c.active != ZERO)
    return found


def without_index(found: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Join SQL conditions in a form for which the database does not use an index.

    In a search by many names, SQLite would otherwise read all entries of a source, and compare each
    with every name.
    """
    holds: ColumnElement[bool] = case((and_(true(), *found), 1), else_=0) == ONE
    return holds
