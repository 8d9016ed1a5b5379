"""Helpers for connections to PostgreSQL: time-outs, poolers, and advice on errors."""

from collections.abc import Generator
from time import monotonic
from typing import Any, TypeVar

import psycopg

from beatd.errors import ConfigError

T = TypeVar("T")

NOW_MICROS = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
ADVISORY_LOCK = 0x62656174  # "beat": the number of our advisory locks, or its first half
CONNECTION_ERRORS = (psycopg.Error, OSError)  # OSError: no descriptor is left to wait with
KEEPALIVES: dict[str, Any] = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
POOLERS = {"transaction": True, "session": False}
NOT_MENDED_BY_WAITING = (
    ("password authentication failed", "the password is refused; correct the user or the password"),
    ("no password supplied", "a password is required; put it into the URL"),
    ("no pg_hba.conf entry", "this host or user is not admitted; see pg_hba.conf on the server"),
    ("permission denied", "this user may not work here; grant it the database's tables"),
    (
        "unsupported startup parameter: options",
        "the pooler does not pass on `options`; remove them "
        "from the URL, or set them for the user (ALTER ROLE … SET …)",
    ),
)


class PostgresqlConnection(psycopg.Connection[Any]):
    """A psycopg connection that does not wait longer than `patience_s` for a reply.

    It raises OperationalError then. Without this limit, a frozen server or a broken network could
    block the caller for minutes.
    """

    patience_s = 120.0
    pooled = False  # True if a pooler lends its session to other clients between two transactions

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        return super().wait(self._until(gen, monotonic() + self.patience_s), *args, **kwargs)

    def _until(self, gen: Generator[Any, Any, T], deadline: float) -> Generator[Any, Any, T]:
        # If no reply has arrived at `deadline`, a time of `monotonic`, this closes the connection
        # and raises OperationalError.
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                # psycopg comes here every 0.1 s with nothing ready, so that it can be interrupted.
                if not ready and monotonic() > deadline:
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the server does not answer")
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]


def connect_options(application_name: str, timeout_s: float) -> dict[str, Any]:
    """Return psycopg's options for the application's name and the time-out of connecting.

    The time-out is at least two seconds, as libpq accepts no less.
    """
    return {"application_name": application_name, "connect_timeout": max(2, int(timeout_s))}


def place(host: object, port: object, database: object) -> str:
    """Return HOST:PORT/DATABASE for use in messages to people."""
    return f"{host or 'local socket'}:{port or 5432}/{database or ''}"


def pooled_by(word: object, setting: str) -> bool | None:
    """Return True or False for the option `?pooler=` of a URL, or None if the URL does not have it.

    `word` is the value of the option: True stands for "transaction" and False for "session". Raises
    ConfigError for any other word; its text begins with `setting`, the setting with the URL.
    """
    if word is None:
        return None
    if not isinstance(word, str) or word not in POOLERS:
        raise ConfigError(f"{setting}: pooler: {word!r}; write transaction or session")
    return POOLERS[word]


def is_pooled(connection: psycopg.Connection[Any], stated: bool | None) -> bool:
    """Return True if a pooler such as PgBouncer shares the connection's session with other clients.

    `stated` is the answer in the URL. If it is None, a query finds out whether another server
    process answers than at connecting. In a shared session nothing may stay behind: no setting,
    prepared statement, lock or LISTEN.
    """
    if stated is not None:
        return stated
    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    return bool(pid != connection.info.backend_pid)


def unusable(error: BaseException) -> str | None:
    """Return advice on an error that no retry can correct, such as a wrong password.

    None for any other error.
    """
    text = str(error)
    for sign, line in NOT_MENDED_BY_WAITING:
        if sign in text:
            return line
    if "invalid connection option" in text:
        return f"{text.strip()}; remove it from the URL"
    if "does not exist" in text and ("database" in text or "role" in text):
        return text[text.find("FATAL:") + 6 :].split("\n")[0].strip() + "; create it first"
    return None
