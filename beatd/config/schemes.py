"""The schemes of the URLs of stores and locks, such as "redis"."""

from urllib.parse import urlsplit

SQL = ("sqlite", "postgresql", "postgres", "mysql", "mariadb")
REDIS = ("redis", "rediss", "unix", "sentinel", "redis+sentinel", "redis+cluster", "rediss+cluster")
DJANGO = "django-celery-beat+"
STORES = ("memory:", "shelve:PATH", "sqlite:///PATH", "postgresql://", "mysql://", "redis://")
LOCKS = ("none", "file:PATH", *STORES[3:])


def scheme_of(url: str) -> str:
    """Return the scheme of a URL in lower case, without the driver's name "+psycopg"."""
    return url.split(":", 1)[0].split("+psycopg")[0].lower()


def lock_url(store_url: str, lock: str | None) -> str:
    """Return the URL of the lock: `lock` if it is configured, else one that fits the store.

    The lock of a store in a local file is a file beside it. For a store in memory, the result is
    "none". For any other store, the result is the store's own URL.
    """
    if lock:
        return lock
    store_url = store_url.removeprefix(DJANGO)
    scheme = scheme_of(store_url)
    if scheme == "memory":
        return "none"
    if scheme == "shelve":
        return f"file:{store_url.removeprefix('shelve:')}.lock"
    if scheme.split("+")[0] == "sqlite":
        path = urlsplit(store_url).path.removeprefix("/")
        return f"file:{path}.lock" if path else "none"
    return store_url
