"""Turn the conditions of a search for entries into SQL."""

from typing import Any

from sqlalchemy import Column, Select, literal_column, or_

from beatd.catalog import Query
from beatd.run import micros
from beatd.stores.embedded.query import beginning
from beatd.stores.sql.dialect import Dialect
from beatd.stores.sql.tables import entry, plan

LAST_LETTER = "\U0010ffff"
ZERO: Any = literal_column("0")


def narrow_index(query: Query) -> tuple[Column[Any], ...]:
    """Return the columns of an index that finds the query's entries, for example (due, name).
    Return () if only a scan of all entries can find them."""
    if query.due_before is not None:
        return plan.c.due, plan.c.name
    if query.source is not None:
        return entry.c.source, entry.c.name
    if query.enabled is False or query.paused or beginning(query.name_like):
        return (plan.c.name,)
    return ()


def narrowed(statement: Select[Any], query: Query, dialect: Dialect) -> Select[Any]:
    """Return `statement` with the query's filters as WHERE conditions, except `names` and
    `after`."""
    if query.name_like is not None:
        statement = statement.where(dialect.matches(plan.c.name, query.name_like))
        if start := beginning(query.name_like):
            # Added to the pattern, which not every database turns into a range of its index.
            statement = statement.where(plan.c.name.between(start, start + LAST_LETTER))
    if query.task_like is not None:
        statement = statement.where(dialect.matches(entry.c.task, query.task_like))
    if query.contains:
        columns = (plan.c.name, entry.c.task)
        found = (dialect.contains(column, query.contains) for column in columns)
        statement = statement.where(or_(*found))
    if query.source is not None:
        statement = statement.where(entry.c.source == query.source)
    if query.due_before is not None:
        statement = statement.where(plan.c.due < micros(query.due_before))
    if query.rules_before is not None:
        statement = statement.where(plan.c.rules < query.rules_before)
    if query.paused is not None:
        statement = statement.where(entry.c.paused == int(query.paused))
    # Literals, not parameters: only then can the partial index of stopped entries serve them. And
    # compared with 0: its estimate is right even before the table was analyzed.
    if query.enabled is False or query.paused:
        statement = statement.where(plan.c.active == ZERO)
    if query.enabled:
        statement = statement.where(plan.c.active != ZERO)
    return statement
