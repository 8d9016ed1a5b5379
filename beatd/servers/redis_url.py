"""Read the URL of a Redis: hosts, service, database, and a form without password for messages."""

from urllib.parse import urlsplit

SENTINEL_FORM = "sentinel://HOST:26379;HOST:26379/SERVICE/DB"


def service_and_database(path: str, given: dict[str, str]) -> tuple[str, int]:
    """Return the name of the service that the Sentinels watch, and the number of its database.

    `path` is the path of the URL, /SERVICE/DB. `given` contains the parameters of the URL;
    `master_name` and `db` in it may name the service and the database instead. Raises ValueError if
    the service is missing or the database is not a number.
    """
    service, _, database = path.strip("/").partition("/")
    if "master_name" in given:
        service, database = (
            given["master_name"],
            database or (service if service.isdecimal() else ""),
        )
    elif service.isdecimal() and database:
        raise ValueError(
            f"{service!r} stands where the service belongs; write it like {SENTINEL_FORM}"
        )
    elif not service or service.isdecimal():
        raise ValueError(f"the service is missing; write it like {SENTINEL_FORM}")
    return service, database_number(database or given.get("db", ""), SENTINEL_FORM)


def database_number(text: str, form: str) -> int:
    """Return the database number in `text`, or 0 if `text` is empty. Raises ValueError if `text` is
    not a number; the error shows `form`, the right form of the URL."""
    if text and not (text.isascii() and text.isdecimal()):
        raise ValueError(f"the database {text!r} is no number; write it like {form}")
    return int(text or 0)


def hosts(netloc: str, default_port: int) -> list[tuple[str, int]]:
    """Return (host, port) of each server in the `netloc` (user, hosts and ports) of a URL. Commas
    or semicolons separate the servers. A server without a port gets `default_port`. Raises
    ValueError if a port is not a number."""
    found = []
    for part in netloc.rpartition("@")[2].replace(";", ",").split(","):
        host, _, port = part.rpartition(":") if ":" in part else (part, "", "")
        found.append((host.strip("[]") or "localhost", int(port or default_port)))
    return found


def place(url: str) -> str:
    """Return the URL for messages, without user, password and options."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def for_redis_py(url: str) -> str:
    """Return the URL in the form that redis-py reads: redis+socket://, which kombu writes, becomes
    unix://. Other URLs are returned unchanged."""
    return url.replace("redis+socket://", "unix://", 1)
