"""From a configuration to a daemon that can run: its parts, its log, its pages, its notices."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from celery import Celery

from beatd.clock import Clock, SystemClock
from beatd.config import Config, schemes
from beatd.daemon.celery_inspect import CeleryInspect
from beatd.daemon.daemon import Daemon
from beatd.daemon.housekeeping import Declares, HistoryLimits
from beatd.daemon.parts import Parts
from beatd.daemon.status import health_of, status_of
from beatd.definition import codec
from beatd.engine.tick import Limits
from beatd.events import Observer
from beatd.observers.log import LogObserver
from beatd.observers.systemd import SystemdObserver
from beatd.publisher import Publisher
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for, load_app
from beatd.sources import Source
from beatd.sources.declarations import Declarations
from beatd.sources.files import Files
from beatd.store import Store
from beatd.wiring import backends
from beatd.wiring.lazy_imports import import_all
from beatd.wiring.packages import Packages

if TYPE_CHECKING:
    from beatd.web.web_pages import WebPages


def celery_app(config: Config) -> Celery:
    """The project's app where one is named, with the broker of the config where that has one."""
    if config.app is None:
        return app_for(config.broker.settings(), timezone=config.timezone)
    return load_app(config.app, broker=config.broker.settings())


def parts_of(config: Config, *, clock: Clock, app: Celery) -> Parts:
    store_url, lock_url = config.store.url, schemes.lock_url(config.store.url, config.lock.url)
    prefix, ttl = config.store.prefix, config.lock.ttl.total_seconds()

    def publisher() -> Publisher:
        return CeleryPublisher(app=app, timeout=config.broker.timeout.total_seconds())

    return Parts(
        store=lambda: backends.open_store(
            store_url, codec=codec, clock=clock, prefix=prefix, timeout=ttl
        ),
        lease=lambda: backends.open_lease(lock_url, prefix=prefix),
        publisher=publisher,
        dispatch=lambda store, sender, tell: backends.open_dispatch(
            store, sender, clock=clock, tell=tell
        ),
        declaring=declaring_of(config, clock=clock, app=app),
    )


def declaring_of(config: Config, *, clock: Clock, app: Celery) -> Declares:
    declaring = Declarations(sources_of(config, clock=clock, app=app), clock=clock)
    if not config.store.url.startswith(schemes.DJANGO):
        return declaring
    from beatd.definition.celery_schedule import zone_name_of
    from beatd.sources.django_mirror import DjangoMirror
    from beatd.sources.django_rows import DjangoRows

    return DjangoMirror(
        DjangoRows(config.store.url.removeprefix(schemes.DJANGO)),
        declaring,
        timezone=config.timezone if config.names_timezone else zone_name_of(app.timezone),
        name=config.name,
        clock=clock,
    )


def sources_of(config: Config, *, clock: Clock, app: Celery) -> list[Source]:
    sources: list[Source] = [Files(config, clock)]
    if config.app is not None:
        from beatd.sources.app import App

        zone = config.timezone if config.names_timezone else None
        sources.append(App(app, shown=config.app, name=config.name, clock=clock, timezone=zone))
    return sources


def daemon_of(
    config: Config,
    *,
    clock: Clock | None = None,
    app: Celery | None = None,
    observers: tuple[Observer, ...] = (),
    parts: Callable[[Parts], Parts] = lambda parts: parts,
) -> Daemon:
    clock = clock or SystemClock()
    app = app or celery_app(config)
    return Daemon(
        parts=parts(parts_of(config, clock=clock, app=app)),
        me=backends.me("", clock.now()),
        clock=clock,
        ttl=config.lock.ttl.total_seconds(),
        history=HistoryLimits(config.history.keep, config.history.records),
        limits=Limits(publish_timeout=config.broker.timeout.total_seconds() + 1),
        observers=observers,
    )


def web_of(config: Config) -> "WebPages | None":
    """Its libraries are imported where its pages are wanted: each start would wait for them."""
    if config.http is None:
        return None
    from beatd.web.web_pages import WebPages

    return WebPages(config.http.host, config.http.port, config.http.hosts)


class Built:
    """A daemon as `beatd -c` runs it."""

    def __init__(self, config: Config, systemd: SystemdObserver) -> None:
        import_all(config.store.url, schemes.lock_url(config.store.url, config.lock.url))
        self._web, self.has_app = web_of(config), config.app is not None
        observers: tuple[Observer, ...] = (LogObserver(), systemd)
        if self._web is not None:
            observers = (*observers, self._web.metrics)
        app = celery_app(config)
        self.daemon = daemon_of(config, app=app, observers=observers)
        self._inspect, self._packages = CeleryInspect(app, self.daemon), Packages(app)

    def open(self) -> None:
        self._inspect.open()
        self._packages.open()
        if self._web is not None:
            self._web.open(lambda: health_of(self.daemon), self.status)

    def status(self) -> dict[str, Any]:
        return status_of(self.daemon)

    def close(self) -> None:
        self._inspect.close()
        self._packages.close()
        if self._web is not None:
            self._web.close()


def store_of(config: Config, clock: Clock | None = None) -> Store:
    """The store that a command works on."""
    return backends.open_store(
        config.store.url, codec=codec, clock=clock or SystemClock(), prefix=config.store.prefix
    )
