"""Whether a pooler stands before a PostgreSQL server and lends each of its sessions to many.

PgBouncer in transaction mode and its like give a connection another session for each transaction.
Nothing may be left in such a session: no setting, no prepared statement, no lock, no LISTEN.
"""

from typing import Any

from beatd.errors import ConfigError

WORDS = {"transaction": True, "session": False}


def shared_by(word: Any, setting: str) -> bool | None:
    """Read `?pooler=` of a URL: True if sessions are shared, False if not, None to find it out."""
    if word is None:
        return None
    if word not in WORDS:
        raise ConfigError(f"{setting}: pooler: {word!r}; write transaction or session")
    return WORDS[word]


def shares_sessions(connection: Any) -> bool:
    """True if the process that answers is not the one that the connection was told of when made."""
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(pid != connection.info.backend_pid)
