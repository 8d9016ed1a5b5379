"""Which libraries a configuration needs, beside those that come with beatd."""

from collections.abc import Iterator
from importlib.util import find_spec

from beatd.config.values import Config
from beatd.errors import MissingExtra
from beatd.problem import Path, Problem

_LIBRARIES = {
    "postgresql": ("psycopg", "postgresql"),
    "postgres": ("psycopg", "postgresql"),
    "mysql": ("pymysql", "mysql"),
    "mariadb": ("pymysql", "mysql"),
    "sqs": ("boto3", "sqs"),
}


def missing_extras(config: Config) -> Iterator[Problem]:
    """The line that installs each library that is not there."""
    for path, url in _urls(config):
        scheme = url.split(":", 1)[0].lower()
        for part in scheme.split("+"):
            library, extra = _LIBRARIES.get(part, ("", ""))
            if library and find_spec(library) is None:
                yield Problem(str(MissingExtra(part, extra)), path, config.shown)
    for entry in config.entries:
        if "solar" in entry.schedule.plain() and find_spec("ephem") is None:
            text = str(MissingExtra("a solar schedule", "solar"))
            yield Problem(text, ("entries", entry.name, "solar"), entry.declared_at)
            break


def _urls(config: Config) -> Iterator[tuple[Path, str]]:
    yield ("store", "url"), config.store.url
    if config.lock.url is not None:
        yield ("lock", "url"), config.lock.url
    if config.broker.url is not None:
        yield ("broker", "url"), config.broker.url
