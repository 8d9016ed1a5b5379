"""Connect to a MariaDB or MySQL server: time-outs, the server's clock, and advice on errors."""

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
    """Return PyMySQL's options for the parameters of a URL that describe how to reach the server:
    socket, address, option file and TLS. Other parameters are ignored. `query` is the part of the
    URL after the question mark.

    Each parameter has the same meaning as in SQLAlchemy, which reads the URL of a store.
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
    """Return the time-out rounded down to whole seconds, at least 1. Server and driver accept no
    fraction."""
    return max(1, int(timeout_s))


def timeouts(timeout_s: float, *, reply_grace_s: int = 0) -> dict[str, int]:
    """Return PyMySQL's time-outs in whole seconds for connecting, reading and writing.

    `reply_grace_s` is added to the time-outs for reading and writing. The server's own time-out
    then ends a statement first, and the server's error contains the reason.
    """
    seconds = whole_seconds(timeout_s)
    reply = seconds + reply_grace_s
    return {"connect_timeout": seconds, "read_timeout": reply, "write_timeout": reply}


def place(host: str | None, port: int | None, database: str | None) -> str:
    """Return HOST:PORT/DATABASE for messages, without user and password."""
    return f"{host or 'localhost'}:{port or 3306}/{database or ''}"


def is_mariadb(version: str) -> bool:
    """Return True if a server with this version text is a MariaDB, False if it is a MySQL."""
    return "mariadb" in version.lower()


def code(error: BaseException) -> int:
    """Return the number that the server gave to the error, or 0 if the error has none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def unusable(error: BaseException) -> str | None:
    """Return advice on an error that no retry can correct, such as a wrong password. Return None
    for any other error."""
    return NOT_MENDED_BY_WAITING.get(code(error))
