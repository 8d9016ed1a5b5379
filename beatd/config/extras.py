"""Find the libraries that a configuration needs but that are not installed."""

from collections.abc import Iterator
from importlib.util import find_spec

from beatd.config.values import Config
from beatd.errors import MissingExtra, Path, Problem

_LIBRARIES = {
    "postgresql": ("psycopg", "postgresql"),
    "postgres": ("psycopg", "postgresql"),
    "mysql": ("pymysql", "mysql"),
    "mariadb": ("pymysql", "mysql"),
    "sqs": ("boto3", "sqs"),
}
#: Libraries of kombu's other brokers: the module, and what to install.
_FOR_BROKERS = {
    "librabbitmq": ("librabbitmq", "librabbitmq"),
    "mongodb": ("pymongo", "kombu[mongodb]"),
    "kafka": ("confluent_kafka", "kombu[confluentkafka]"),
    "confluentkafka": ("confluent_kafka", "kombu[confluentkafka]"),
    "zookeeper": ("kazoo", "kombu[zookeeper]"),
    "consul": ("consul", "kombu[consul]"),
    "etcd": ("etcd3", "kombu[etcd]"),
    "azurestoragequeues": ("azure.storage.queue", "kombu[azurestoragequeues]"),
    "azureservicebus": ("azure.servicebus", "kombu[azureservicebus]"),
    "gcpubsub": ("google.cloud.pubsub_v1", "kombu[gcpubsub]"),
    "pyro": ("Pyro4", "pyro4"),
    "slmq": ("softlayer_messaging", "kombu[slmq]"),
}


def missing_extras(config: Config) -> Iterator[Problem]:
    """Yield a problem for each library that the configuration needs but that is not installed.

    The text of the problem has the command that installs the library.
    """
    yield from missing_drivers(config)
    for entry in config.entries:
        if "solar" in entry.schedule.plain() and find_spec("ephem") is None:
            text = str(MissingExtra("a solar schedule", "solar"))
            yield Problem(text, ("entries", entry.name, "solar"), entry.declared_at)
            break


def missing_drivers(config: Config) -> Iterator[Problem]:
    """Yield a problem for each library that a URL needs but that is not installed.

    The text of the problem has the command that installs the library.
    """
    for path, url in _urls(config):
        scheme = url.split(":", 1)[0].lower()
        for part in scheme.split("+"):
            library, extra = _LIBRARIES.get(part, ("", ""))
            if library and not _is_there(library):
                yield Problem(str(MissingExtra(part, extra)), path, config.shown)
            library, wanted = _FOR_BROKERS.get(part, ("", ""))
            if path[0] == "broker" and library and not _is_there(library):
                text = f"a library is needed for {part}: pip install '{wanted}'"
                yield Problem(text, path, config.shown)


def _is_there(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False
    except ValueError:  # its place was taken by None, as tests do
        return False


def _urls(config: Config) -> Iterator[tuple[Path, str]]:
    yield ("store", "url"), config.store.url
    if config.lock.url is not None:
        yield ("lock", "url"), config.lock.url
    if config.broker.url is not None:
        yield ("broker", "url"), config.broker.url
