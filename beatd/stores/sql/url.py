"""Choose the database dialect for a store URL, and import only the driver of that database."""

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from beatd.errors import ConfigError, MissingExtra
from beatd.stores.sql.dialect import Dialect


def dialect_of(url: str, timeout: float) -> Dialect:
    """Return the dialect for a store URL such as "sqlite:///beatd.db".

    Raises ConfigError if the URL is invalid or names an unknown database, and MissingExtra if the
    driver is not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The URL is not shown: often its password is the part that cannot be read.
        raise ConfigError(
            "store.url: cannot be read; write it as DATABASE://USER:PASSWORD@HOST:PORT/NAME, "
            "special characters of the password as %XX"
        ) from None
    kind = parsed.drivername.split("+")[0]
    if kind == "sqlite":
        from beatd.stores.sql.sqlite import Sqlite

        return Sqlite(parsed, timeout)
    if kind in ("postgresql", "postgres"):
        try:
            from beatd.stores.sql.postgresql import Postgresql
        except ModuleNotFoundError as error:
            raise MissingExtra("postgresql", "postgresql") from error
        return Postgresql(parsed, timeout)
    if kind in ("mysql", "mariadb"):
        try:
            from beatd.stores.sql.mysql import Mysql
        except ModuleNotFoundError as error:
            raise MissingExtra("mysql", "mysql") from error
        return Mysql(parsed, timeout)
    raise ConfigError(f"store.url: {kind!r} is no database known here; try sqlite:///beatd.db")
