"""The settings of a configuration, checked and with absolute paths."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from msgspec import Struct

from beatd.entry import Entry


class Broker(Struct, frozen=True, kw_only=True):
    """The settings of the connection to the broker.

    If `url` is None, the URL of the Celery app is used. `timeout` limits the wait for one answer.
    The other fields have the meaning of Celery's settings `broker_transport_options`,
    `broker_use_ssl`, `broker_login_method` and `broker_failover_strategy`.
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
        """Return Celery's broker settings that replace those of the app, without None values.

        `timeout` is not one of them.
        """
        given = {
            "url": self.url,
            "transport_options": dict(self.transport_options) or None,
            "ssl": self.ssl,
            "login_method": self.login_method,
            "failover_strategy": self.failover_strategy,
        }
        return {key: value for key, value in given.items() if value is not None}


class Store(Struct, frozen=True, kw_only=True):
    """The settings of the store, the database for entries and runs.

    In Redis, all keys of the store begin with `prefix`.
    """

    url: str = "sqlite:///beatd.db"
    prefix: str = "beatd:"


class Lock(Struct, frozen=True, kw_only=True):
    """The settings of the lock that makes one of the daemons the leader.

    If `url` is None, the URL is derived from the store's URL. A leader that does not renew the lock
    for `ttl` is replaced by another daemon.
    """

    url: str | None = None  # None: the store's
    ttl: timedelta = timedelta(seconds=2)


Role = Literal["viewer", "operator", "editor"]


class Token(Struct, frozen=True, kw_only=True):
    """A token with which a program or a person signs in to the web server.

    `secret` is the text of the token's file.
    """

    name: str
    role: Role
    secret: str

    def __repr__(self) -> str:
        return f"Token({self.name!r}, {self.role!r})"


class Proxy(Struct, frozen=True, kw_only=True):
    """A proxy that signs people in: its header, its addresses or networks, and its users' roles."""

    user_header: str
    addresses: tuple[str, ...]
    roles: Mapping[str, Role] = {}


class Tls(Struct, frozen=True, kw_only=True):
    """The paths of the certificate and the key with which the web server encrypts."""

    cert: str
    key: str


class Http(Struct, frozen=True, kw_only=True):
    """The settings of the web server.

    It answers requests with a Host header that is its address, localhost, or one of `hosts`.
    Without `tokens` and `proxy` it answers only this machine, and changes nothing.
    """

    host: str
    port: int
    hosts: tuple[str, ...] = ()  # Host headers answered besides the address and localhost
    tokens: tuple[Token, ...] = ()
    proxy: Proxy | None = None
    tls: Tls | None = None


class Alerts(Struct, frozen=True, kw_only=True):
    """The settings of alerts, the messages about incidents.

    `to` has the URLs that get them. `heartbeat` is a URL that the leader requests regularly.
    Webhooks are signed with `secret`, unless it is "".
    """

    to: tuple[str, ...] = ()
    wait: timedelta = timedelta(seconds=30)
    again: timedelta | None = None
    heartbeat: str | None = None
    secret: str = ""

    def __repr__(self) -> str:
        return f"Alerts(to={len(self.to)} URLs)"


class Sentry(Struct, frozen=True, kw_only=True):
    """The Sentry project that gets check-ins about entries with `monitor: {sentry: true}`."""

    dsn: str
    environment: str | None = None

    def __repr__(self) -> str:
        return "Sentry(dsn='***')"


class Log(Struct, frozen=True, kw_only=True):
    """The level and the format of log lines."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class History(Struct, frozen=True, kw_only=True):
    """The limits of the stored history of runs.

    Records older than `keep` are deleted, and the oldest if there are more than `records`. Records
    of changes of entries are deleted when they are older than `changes`.
    """

    keep: timedelta = timedelta(days=7)
    records: int = 1_000_000
    changes: timedelta = timedelta(days=365)


class Outcomes(Struct, frozen=True, kw_only=True):
    """The settings for reading whether runs succeeded or failed.

    Outcomes are read from reports that workers send to `queue`, from the app's result backend, or
    not at all.
    """

    read_from: Literal["reports", "results", "off"] = "reports"
    queue: str = "beatd.outcomes"


class Config(Struct, frozen=True, kw_only=True):
    """All settings of a daemon.

    `app` is a Celery app as "module:name". `schedules` has the places (files, folders, globs) of
    entry files. All entries that are declared here or in those files belong to "yaml:" plus `name`.
    `shown` is the path of the configuration file as the user typed it; `folder` is its folder.
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
    alerts: Alerts | None = None
    sentry: Sentry | None = None
    log: Log = Log()
    history: History = History()
    outcomes: Outcomes = Outcomes()

    # the file
    shown: str = ""
    folder: str = "."
    names_timezone: bool = False  # True if `timezone` was given, and replaces the app's
    start_settings: Mapping[str, object] = {}  # of the file: those a daemon uses from its start on

    @property
    def source(self) -> str:
        """The owner of all entries declared in YAML: "yaml:" plus the configuration's name."""
        return f"yaml:{self.name}"
