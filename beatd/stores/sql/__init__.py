"""A store in SQLite, PostgreSQL, MariaDB or MySQL: entries, their next moments, claims and
history."""

from beatd.stores.sql.sql_store import SqlStore

__all__ = ["SqlStore"]
