"""Read the newest history records of many entries with few SQL statements."""

from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, TextClause, text

from beatd.stores.sql.tables import history

NAMES_PER_STATEMENT = 50


def newest_rows(connection: Connection, names: list[str], limit: int) -> list[Any]:
    """Return the `limit` newest rows of the history table for each of up to 50 entries."""
    bound = {f"name_{place}": name for place, name in enumerate(names)}
    statement = _newest_of(len(names), limit, connection.dialect.name == "sqlite")
    return list(connection.execute(statement, bound).all())


@lru_cache(200)
def _newest_of(count: int, limit: int, is_sqlite: bool) -> TextClause:
    # Each part reads a few rows of the index by name. A window function would read all rows of each
    # entry, and MariaDB has no LATERAL. SQLite has no parentheses here; without them, MariaDB would
    # make a table for each part.
    start = "SELECT * FROM (" if is_sqlite else "("
    return text(
        " UNION ALL ".join(
            f"{start}SELECT * FROM {history.name} WHERE name = :name_{place}"
            f" ORDER BY id DESC LIMIT {int(limit)})"
            for place in range(count)
        )
    )
