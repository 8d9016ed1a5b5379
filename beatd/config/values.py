"""A configuration, read and resolved: frozen, and nothing in it depends on where one stands."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from msgspec import Struct

from beatd.entry import Entry


class Broker(Struct, frozen=True, kw_only=True):
    url: str | None = None  # None: the app's
    timeout: timedelta = timedelta(seconds=2)
    transport_options: Mapping[str, Any] = {}
    ssl: bool | Mapping[str, Any] | None = None
    login_method: str | None = None
    failover_strategy: str | None = None

    def __repr__(self) -> str:
        return f"Broker(url={self.url!r})"  # passwords may lie in its options as well

    def settings(self) -> dict[str, Any]:
        """What is given about the connection, for the celery app that messages are made by."""
        given = {
            "url": self.url,
            "transport_options": dict(self.transport_options) or None,
            "ssl": self.ssl,
            "login_method": self.login_method,
            "failover_strategy": self.failover_strategy,
        }
        return {key: value for key, value in given.items() if value is not None}


class Store(Struct, frozen=True, kw_only=True):
    url: str = "sqlite:///beatd.db"
    prefix: str = "beatd:"


class Lock(Struct, frozen=True, kw_only=True):
    url: str | None = None  # None: the store's
    ttl: timedelta = timedelta(seconds=2)


class Http(Struct, frozen=True, kw_only=True):
    host: str
    port: int
    hosts: tuple[str, ...] = ()  # Host headers answered besides the address and localhost


class Log(Struct, frozen=True, kw_only=True):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class History(Struct, frozen=True, kw_only=True):
    keep: timedelta = timedelta(days=7)
    records: int = 1_000_000


class Config(Struct, frozen=True, kw_only=True):
    """Paths in it are absolute; `shown` and `folder` say which file it was."""

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

    # where it was read from
    shown: str = ""
    folder: str = "."
    names_timezone: bool = False  # whether the zone was given, and wins over the app's

    @property
    def source(self) -> str:
        """The owner of what is declared in it and in its schedules."""
        return f"yaml:{self.name}"
