"""A store in SQLite, PostgreSQL, MariaDB or MySQL. It keeps the scheduled entries, when each runs
next, and the history of their runs."""

from beatd.stores.sql.sql_store import SqlStore

__all__ = ["SqlStore"]
