"""Keep entries, plan, claims and history in SQLite, PostgreSQL, MariaDB or MySQL."""

from beatd.stores.sql.sql_store import SqlStore

__all__ = ["SqlStore"]
