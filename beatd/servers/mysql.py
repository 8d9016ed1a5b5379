"""Helpers for connections to MariaDB and MySQL: URL options, time-outs, and advice on errors."""

from typing import Any
from urllib.parse import parse_qsl

NOW_MICROS = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', UTC_TIMESTAMP(6))"
NOT_MENDED_BY_WAITING = {
    1045: "the password is refused; correct the user or the password",
    1044: "this user may not use this database; grant it",
    1142: "this user may not work here; grant it the database's tables",
    1049: "there is no such database; create it first",
    1046: "the URL names no database; put one at its end",
    1698: "the password is refused; correct the user or the password",
}

REACHED_BY = ("unix_socket", "bind_address", "read_default_file", "read_default_group")
IN_TLS_SETTINGS = ("ssl_ca", "ssl_key", "ssl_cert", "ssl_capath", "ssl_cipher")
TRUE = ("true", "yes", "on", "y", "t", "1")


def url_options(query: str) -> dict[str, Any]:
    """Return PyMySQL's options for the query part of a database URL, such as its TLS files.

    Other options are the socket, the address and the option file; other parameters are ignored.
    Each one means the same as in SQLAlchemy, which reads the URL of a store.
    """
    options: dict[str, Any] = {}
    tls: dict[str, str | bool] = {}
    for name, value in parse_qsl(query):
        if name in IN_TLS_SETTINGS:
            tls[name.removeprefix("ssl_")] = value
        elif name == "ssl_check_hostname":
            tls["check_hostname"] = value.lower() in TRUE
        elif name in REACHED_BY or name.startswith("ssl_"):
            options[name] = value
    return {**options, "ssl": tls} if tls else options


def whole_seconds(timeout_s: float) -> int:
    """Return a time-out rounded down to whole seconds, but at least 1.

    Server and driver accept no fraction of a second.
    """
    return max(1, int(timeout_s))


def timeouts(timeout_s: float, *, reply_grace_s: int = 0) -> dict[str, int]:
    """Return PyMySQL's time-outs in whole seconds for connecting, reading and writing.

    `reply_grace_s` is added for reading and writing, so that the server's own time-out ends a
    statement first, with the reason in its error.
    """
    seconds = whole_seconds(timeout_s)
    reply = seconds + reply_grace_s
    return {"connect_timeout": seconds, "read_timeout": reply, "write_timeout": reply}


def place(host: str | None, port: int | None, database: str | None) -> str:
    """Return HOST:PORT/DATABASE for use in messages to people."""
    return f"{host or 'localhost'}:{port or 3306}/{database or ''}"


def is_mariadb(version: str) -> bool:
    """Return True if a server with this version text is MariaDB, False if it is MySQL."""
    return "mariadb" in version.lower()


def code(error: BaseException) -> int:
    """Return the number of a MySQL error, such as 1045, or 0 if it has none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def unusable(error: BaseException) -> str | None:
    """Return advice on an error that no retry can correct, such as a wrong password.

    None for any other error.
    """
    return NOT_MENDED_BY_WAITING.get(code(error))
