"""Delete the oldest rows of a table that has the columns `id` and `at`, in small transactions."""

from datetime import datetime
from math import inf

from sqlalchemy import Connection, Table, delete, select

from beatd.run import micros
from beatd.stores.sql.database import Database
from beatd.stores.sql.dialect import literally
from beatd.stores.sql.entry_reader import CHUNK


def delete_old_rows(database: Database, table: Table, before: datetime, keep: int) -> int:
    """Delete the rows of a table written before `before` and all but the newest `keep`.

    Return the number of deleted rows.
    """
    newest = select(table.c.id).order_by(table.c.id.desc()).offset(keep).limit(literally(1))
    cutoff = database.read(lambda connection: connection.scalar(newest) or 0, patient=True)
    first = micros(before)
    oldest = select(table.c.id, table.c.at).order_by(table.c.id).limit(literally(CHUNK))

    def delete_some(connection: Connection) -> int:
        rows = connection.execute(oldest)
        old = [row.id for row in rows if number_of(row.at) < first or row.id <= cutoff]
        if old:
            connection.execute(delete(table).where(table.c.id.in_(old)))
        return len(old)

    # Each transaction examines the oldest thousand rows; the first that deletes none is the last.
    dropped = 0
    while part := database.write(delete_some):
        dropped += part
    return dropped


def number_of(at: object) -> float:
    """Return the number in a column of moments, or infinity if it has another value.

    SQLite keeps any value in any column, and another program may have written it.
    """
    return at if isinstance(at, int | float) else inf
