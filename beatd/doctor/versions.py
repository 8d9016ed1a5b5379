"""Look at the versions of Python and its libraries, and of a server."""

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from beatd import __version__
from beatd.doctor.finding import Finding

PYTHON_OLDEST = (3, 11)
LIBRARIES_OLDEST = {"celery": (5, 5), "kombu": (5, 5), "redis": (5, 2), "sqlalchemy": (2, 0, 36)}
#: The name of each kind of server, and the oldest version that serves.
SERVERS = {
    "redis": ("Redis", (6, 2)),
    "postgresql": ("PostgreSQL", (13,)),
    "mariadb": ("MariaDB", (10, 6)),
    "mysql": ("MySQL", (8, 0, 17)),
    "sqlite": ("SQLite", (3, 35)),
    "rabbitmq": ("RabbitMQ", (3, 8)),
}


def program_versions() -> Iterator[Finding]:
    """Yield a finding with the versions of beatd, Python and the libraries, and one for each that
    is too old."""
    found = {name: _installed(name) for name in LIBRARIES_OLDEST}
    python = platform.python_version()
    libraries = ", ".join(f"{name} {text}" for name, text in found.items())
    yield Finding("ok", "versions", f"beatd {__version__}, Python {python}, {libraries}")
    if sys.version_info < PYTHON_OLDEST:
        yield Finding("error", "versions", f"Python {python} is too old; 3.11 or later is needed")
    for name, oldest in LIBRARIES_OLDEST.items():
        if numbers(found[name]) < oldest:
            text = f"{name} {found[name]} is too old; {_dotted(oldest)} or later is needed"
            yield Finding("error", "versions", text)


def server_version(kind: str, version_text: str) -> tuple[str, str]:
    """Return the server's name with its version, such as "Redis 7.2.4", and what is wrong with it.

    The second text is "" if nothing is.
    """
    if kind == "mysql" and "mariadb" in version_text.lower():
        kind = "mariadb"
    name, oldest = SERVERS[kind]
    # "11.4.2-MariaDB-ubu2404" and "16.3 (Debian 16.3-1)"
    shown = re.match(r"[\d.]+", version_text.removeprefix("5.5.5-"))
    text = shown[0] if shown else version_text
    if shown and numbers(text) < oldest:
        return f"{name} {text}", f"{name} {text} is too old; {_dotted(oldest)} or later is needed"
    return f"{name} {text}", ""


def numbers(text: str) -> tuple[int, ...]:
    """Return the first numbers of a version: (5, 7, 0) for "5.7.0rc1"."""
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _dotted(numbers_of: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers_of))


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # a copy without its metadata
        return "of unknown version"
