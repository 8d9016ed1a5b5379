"""Complete the URLs of a configuration: check schemes, add passwords, make paths absolute."""

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from beatd.config.schemes import REDIS, SQL
from beatd.config.store_files import url_of_new_file, url_of_store_file
from beatd.config.url_options import refuse_unknown_options
from beatd.errors import ConfigError, nearest
from beatd.secret import Secret, learn

_STORES = ("memory", "shelve", *SQL, *REDIS, "django-celery-beat")
_SCHEMES = {"store": _STORES, "lock": ("none", "file", *SQL, *REDIS)}
# Aliases of kombu's transports. A transport of an app's own has a dot in it: module.Transport://
BROKERS = (
    *(
        "amqp",
        "amqps",
        "pyamqp",
        "librabbitmq",
        "redis",
        "rediss",
        "sentinel",
        "sqs",
        "sqla",
        "sqlalchemy",
    ),
    *("filesystem", "memory", "mongodb", "kafka", "confluentkafka", "zookeeper", "consul", "etcd"),
    *("azurestoragequeues", "azureservicebus", "gcpubsub", "pgmq", "qpid", "pyro", "slmq"),
)
# The part before a path: SQLite has three slashes, the others none or two.
_SQLITE = re.compile(
    r"((?:sqla\+|sqlalchemy\+|django-celery-beat\+)?sqlite(?:\+\w+)?:///)(?!/|$|:memory:)(.*)"
)
_PLAIN = re.compile(r"((?:shelve|file):(?://(?=[^/]))?)(?!/|$)(.*)")
_USERINFO = re.compile(r"([a-z0-9+.-]+://)(?:([^:/?#@;]*)(:[^/?#@;]*)?@)?", re.IGNORECASE)


def resolved(section: str, url: str, folder: Path) -> Secret:
    """Check a URL and return it with an absolute path; a relative path is below `folder`.

    `section` is "store", "lock" or "broker". Raises ConfigError for an unknown scheme or option.
    """
    if section == "store" and url == "memory":
        url = "memory:"  # which YAML takes for a mapping where it is not quoted
    known = _SCHEMES.get(section)
    scheme = url.split(":", 1)[0].lower()
    if known and scheme not in known and scheme.split("+")[0] not in known:
        if section == "store":
            _refuse_file(url, folder)
        raise ConfigError(
            f"{scheme[:20]}: is not a {section} that beatd knows"
            + (nearest(scheme, known) or f"; known are {', '.join(known)}")
        )
    if section == "broker" and re.match(r"rediss?(\+|-)cluster", scheme):
        raise ConfigError(
            f"{scheme}: kombu has no transport for Redis Cluster; "
            "a cluster serves as store and lock, the broker needs a single Redis or Sentinel"
        )
    if section == "broker" and "." not in scheme and scheme.split("+")[0] not in BROKERS:
        raise ConfigError(
            f"{scheme[:20]}: is not a broker that kombu knows"
            + (nearest(scheme, BROKERS) or "; try redis://, amqp:// or filesystem://")
        )
    refuse_unknown_options(section, url)
    for pattern in (_SQLITE, _PLAIN):
        found = pattern.fullmatch(url)
        if found:
            path, mark, query = found[2].partition("?")
            return Secret(found[1] + os.path.normpath(folder / path) + mark + query)
    return Secret(url)


def _refuse_file(text: str, folder: Path) -> None:
    """Raise ConfigError with the URL that was meant, if `text` is the name of a store's file."""
    if meant := url_of_store_file(text, folder):
        raise ConfigError(
            f"{text}: is a file, and a store is named by a URL; did you mean {meant}?"
        )
    if meant := url_of_new_file(text):
        raise ConfigError(f"{text}: is not a store that beatd knows; did you mean {meant}?")


def with_password(url: str | None, password: str) -> str:
    """Return the URL with the password added, and hide the password in all messages.

    Raises ConfigError if `url` is None or is not a URL, or if it already has a password.
    """
    learn(password)
    found = _USERINFO.match(url or "")
    if url is None or found is None:
        raise ConfigError("needs a url that it is the password of, like redis://localhost:6379/0")
    if found[3]:
        raise ConfigError("and a password in the url are both given; one will do")
    return f"{found[1]}{found[2] or ''}:{quote(password, safe='')}@{url[found.end() :]}"


def folders_below(options: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the broker's transport options with absolute folders.

    Relative folders are below `folder`. An option is a folder if its name has "folder" in it.
    """
    return {
        key: os.path.normpath(folder / value)
        if isinstance(value, str) and re.search("folder", key)
        else value
        for key, value in options.items()
    }


def on_loopback(host: str) -> bool:
    """True if only this machine can reach the host: a loopback address or "localhost"."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
