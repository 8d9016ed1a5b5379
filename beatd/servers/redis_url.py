"""Read the parts of a Redis URL: hosts, Sentinel service, and database number."""

from urllib.parse import urlsplit

SENTINEL_FORM = "sentinel://HOST:26379;HOST:26379/SERVICE/DB"


def service_and_database(path: str, given: dict[str, str]) -> tuple[str, int]:
    """Return the service name and the database number in a Sentinel URL.

    `path` is /SERVICE/DB, and `given` the URL's parameters, where `master_name` and `db` may
    replace them. Raises ValueError if the service is missing or the database is not a number.
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
    """Return the database number in `text`, or 0 if it is empty.

    Raises ValueError if it is not a number; the error shows `form`, the right form of the URL.
    """
    if text and not (text.isascii() and text.isdecimal()):
        raise ValueError(f"the database {text!r} is no number; write it like {form}")
    return int(text or 0)


def hosts(netloc: str, default_port: int) -> list[tuple[str, int]]:
    """Return (host, port) of each server in the `netloc` of a URL, such as "user:secret@a:26379;b".

    A server without a port gets `default_port`. Raises ValueError if a port is not a number.
    """
    found = []
    for part in netloc.rpartition("@")[2].replace(";", ",").split(","):
        host, _, port = part.rpartition(":") if ":" in part else (part, "", "")
        found.append((host.strip("[]") or "localhost", int(port or default_port)))
    return found


def place(url: str) -> str:
    """Return the URL without user, password and options, for use in messages to people."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def for_redis_py(url: str) -> str:
    """Return the URL in the form that redis-py reads: kombu's redis+socket:// becomes unix://."""
    return url.replace("redis+socket://", "unix://", 1)
