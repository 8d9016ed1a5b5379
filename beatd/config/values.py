"""A configuration as it was read and resolved: frozen, with absolute paths."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from msgspec import Struct

from beatd.entry import Entry


class Broker(Struct, frozen=True, kw_only=True):
    """The broker; url None = the app's."""

    url: str | None = None  # None: the app's
    timeout: timedelta = timedelta(seconds=2)
    transport_options: Mapping[str, Any] = {}
    ssl: bool | Mapping[str, Any] | None = None
    login_method: str | None = None
    failover_strategy: str | None = None

    def __repr__(self) -> str:
        return f"Broker(url={self.url!r})"  # passwords may lie in its options as well

    def settings(self) -> dict[str, Any]:
        """Return the settings of the connection that are given, for the celery app."""
        given = {
            "url": self.url,
            "transport_options": dict(self.transport_options) or None,
            "ssl": self.ssl,
            "login_method": self.login_method,
            "failover_strategy": self.failover_strategy,
        }
        return {key: value for key, value in given.items() if value is not None}


class Store(Struct, frozen=True, kw_only=True):
    """The store of entries and runs."""

    url: str = "sqlite:///beatd.db"
    prefix: str = "beatd:"


class Lock(Struct, frozen=True, kw_only=True):
    """The lock that elects one leader; url None = the store's."""

    url: str | None = None  # None: the store's
    ttl: timedelta = timedelta(seconds=2)


class Http(Struct, frozen=True, kw_only=True):
    """The address of the web server; `hosts` are further Host headers that it answers."""

    host: str
    port: int
    hosts: tuple[str, ...] = ()  # Host headers answered besides the address and localhost


class Log(Struct, frozen=True, kw_only=True):
    """The level and the format of the log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class History(Struct, frozen=True, kw_only=True):
    """How long, and how many, records of runs are kept."""

    keep: timedelta = timedelta(days=7)
    records: int = 1_000_000


class Config(Struct, frozen=True, kw_only=True):
    """All settings; `shown` is the path of the file as it was typed, `folder` where it lies."""

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
        """The owner of the entries declared in the file and in its schedules."""
        return f"yaml:{self.name}"
