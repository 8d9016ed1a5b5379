"""Choose the class of the leader's lock by the kind of SQL database in a URL."""

from beatd.errors import ConfigError, MissingExtra
from beatd.leader import Lease


def sql_lease(url: str) -> Lease:
    """Return the leader's lock in the SQL database that the URL names.

    Raises ConfigError for an invalid URL or an unknown database, and MissingExtra if the driver is
    not installed.
    """
    kind = url.split(":", 1)[0].split("+")[0]
    if kind in ("postgresql", "postgres"):
        try:
            from beatd.leaders.postgresql import postgresql_lease
        except ModuleNotFoundError as error:
            raise MissingExtra("postgresql", "postgresql") from error
        return postgresql_lease(url)
    if kind in ("mysql", "mariadb"):
        try:
            from beatd.leaders.mysql import mysql_lease
        except ModuleNotFoundError as error:
            raise MissingExtra("mysql", "mysql") from error
        return mysql_lease(url)
    if kind == "sqlite":
        from beatd.leaders.sqlite import sqlite_lease

        return sqlite_lease(url)
    raise ConfigError(f"lock.url: {kind!r} is no database known here; try file:PATH")
