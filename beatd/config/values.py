"""The settings of a configuration: frozen values, read and checked, with absolute paths."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from msgspec import Struct

from beatd.entry import Entry


class Broker(Struct, frozen=True, kw_only=True):
    """The connection to the broker. If `url` is None, that of the Celery app is used.

    `timeout` limits the wait for one answer. The other fields have the meaning of Celery's settings
    `broker_transport_options`, `broker_use_ssl`, `broker_login_method` and
    `broker_failover_strategy`.
    """

    url: str | None = None  # None: the app's
    timeout: timedelta = timedelta(seconds=2)
    transport_options: Mapping[str, Any] = {}
    ssl: bool | Mapping[str, Any] | None = None
    login_method: str | None = None
    failover_strategy: str | None = None

    def __repr__(self) -> str:
        return f"Broker(url={self.url!r})"  # passwords may lie in its options as well

    def settings(self) -> dict[str, Any]:
        """Return the options that are set, for the connection of the Celery app."""
        given = {
            "url": self.url,
            "transport_options": dict(self.transport_options) or None,
            "ssl": self.ssl,
            "login_method": self.login_method,
            "failover_strategy": self.failover_strategy,
        }
        return {key: value for key, value in given.items() if value is not None}


class Store(Struct, frozen=True, kw_only=True):
    """The store of entries and runs; in Redis, all of its keys begin with `prefix`."""

    url: str = "sqlite:///beatd.db"
    prefix: str = "beatd:"


class Lock(Struct, frozen=True, kw_only=True):
    """The lock that elects one leader. If `url` is None, it is derived from the store's URL.

    A leader that does not renew its lease for `ttl` is replaced.
    """

    url: str | None = None  # None: the store's
    ttl: timedelta = timedelta(seconds=2)


class Http(Struct, frozen=True, kw_only=True):
    """The address of the web server for health and metrics.

    It answers requests whose Host header is the address, localhost, or one of `hosts`.
    """

    host: str
    port: int
    hosts: tuple[str, ...] = ()  # Host headers answered besides the address and localhost


class Log(Struct, frozen=True, kw_only=True):
    """The level and the format of log lines."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class History(Struct, frozen=True, kw_only=True):
    """The limits of the history: run records are kept for `keep`, and at most `records` of them."""

    keep: timedelta = timedelta(days=7)
    records: int = 1_000_000


class Config(Struct, frozen=True, kw_only=True):
    """All settings of a daemon.

    `app` is a Celery app as "module:name", `name` the name in the owner of declared entries,
    `schedules` the places of entry files. `shown` is the path of the file as the user typed it,
    `folder` the folder of the file.
    """

    name: str = "config"
    timezone: str = "UTC"
    app: str | None = None
    broker: Broker = Broker()
    store: Store = Store()
    lock: Lock = Lock()
    schedules: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = {}
    entries: tuple[Entry, ...] = ()
    http: Http | None = None
    log: Log = Log()
    history: History = History()

    # the file
    shown: str = ""
    folder: str = "."
    names_timezone: bool = False  # True if `timezone` was given, and replaces the app's

    @property
    def source(self) -> str:
        """Return the owner of entries declared in the file and in its schedules: "yaml:NAME"."""
        return f"yaml:{self.name}"
