"""Find the URLs of broker and database in the environment."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from beatd.config import Config, Store
from beatd.config.extras import missing_drivers
from beatd.config.schemes import DJANGO, SQL, lock_url, scheme_of
from beatd.config.urls import resolved
from beatd.config.values import Broker
from beatd.errors import ConfigError
from beatd.secret import masked
from beatd.wiring import backends

BROKERS = (
    *("CELERY_BROKER_URL", "BROKER_URL", "CELERY_BROKER", "RABBITMQ_URL", "CLOUDAMQP_URL"),
    *("AMQP_URL", "REDIS_URL", "REDISCLOUD_URL", "REDIS_TLS_URL"),
)
DATABASES = ("DATABASE_URL", "POSTGRES_URL", "POSTGRESQL_URL", "MYSQL_URL", "MARIADB_URL")
READ_BY_CELERY = "CELERY_BROKER_URL"
REDIS_SCHEMES = ("redis", "rediss")


class FoundUrl(Struct, frozen=True):
    """A variable of the environment with a URL; `why_not` is why it cannot be used, or ""."""

    name: str
    url: str
    why_not: str = ""

    @property
    def shown(self) -> str:
        """The URL without its passwords."""
        return masked(self.url)

    @property
    def reference(self) -> str:
        """The way in which a configuration names the variable."""
        return f"${{{self.name}}}"


def broker_urls(environment: Mapping[str, str]) -> list[FoundUrl]:
    """Return the variables that may name a broker, the best first; unusable ones too."""
    return list(_found("broker", BROKERS, environment))


def database_urls(environment: Mapping[str, str], *, django: bool = False) -> list[FoundUrl]:
    """Return the variables that may name a database for the store, the best first.

    A file is no store for several hosts, so SQLite is left out. With `django`, the store is to lie
    in the database of django-celery-beat, which may be a SQLite file.
    """
    kinds = SQL if django else tuple(kind for kind in SQL if kind != "sqlite")
    found = _found("store", DATABASES, environment, DJANGO if django else "")
    return [one for one in found if scheme_of(one.url).split("+")[0] in kinds]


def as_store(broker: FoundUrl) -> FoundUrl | None:
    """Return a broker's variable if the store can be in the same Redis, else None."""
    if scheme_of(broker.url) not in REDIS_SCHEMES or _why_not("store", broker.url):
        return None
    return broker


def _found(
    section: str, names: Iterable[str], environment: Mapping[str, str], prefix: str = ""
) -> Iterator[FoundUrl]:
    for name in names:
        url = environment.get(name, "").strip()
        if "://" in url:
            masked(url)  # from now on, no message shows its password
            yield FoundUrl(name, url, _why_not(section, prefix + url))


def _why_not(section: str, url: str) -> str:
    try:
        resolved(section, url, Path.cwd())
    except ConfigError as error:
        return str(error)
    is_store = section == "store"
    config = Config(store=Store(url=url)) if is_store else Config(broker=Broker(url=url))
    missing = next((problem.text for problem in missing_drivers(config)), "")
    if missing or not is_store:
        return missing
    try:  # as `beatd check` does; it connects to no server
        backends.open_lease(lock_url(url, None)).close()
    except ConfigError as error:
        return str(error)
    return ""
