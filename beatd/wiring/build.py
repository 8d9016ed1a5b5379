"""Build the daemon that a configuration describes, and the parts of that daemon."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from celery import Celery

from beatd.alerts.watched import Watched
from beatd.clock import Clock, SystemClock
from beatd.config import Config, schemes
from beatd.daemon.daemon import Daemon
from beatd.daemon.housekeeping import Declares, HistoryLimits
from beatd.daemon.parts import Parts
from beatd.definition import codec
from beatd.engine.limits import Limits
from beatd.events import Observer
from beatd.outcomes.outcome_reader import OutcomeReader
from beatd.publisher import Publisher
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for, load_app
from beatd.publishers.queue_state import destination
from beatd.publishers.transports import connection_of
from beatd.sources import Source
from beatd.sources.declarations import Declarations
from beatd.sources.files import Files
from beatd.store import Roles
from beatd.wiring import backends
from beatd.wiring.alerting import alerts_of
from beatd.wiring.configured_store import configured_store
from beatd.wiring.monitors import monitors_of
from beatd.wiring.packages import read_packages
from beatd.wiring.started import started_of

if TYPE_CHECKING:
    from beatd.sources.django_mirror import DjangoMirror


def celery_app(config: Config) -> Celery:
    """Return the project's Celery app, or a new app if the configuration names none.

    A broker in the configuration replaces the broker of the app.
    """
    if config.app is None:
        return app_for(config.broker.settings(), timezone=config.timezone)
    return load_app(config.app, broker=config.broker.settings())


def parts_of(config: Config, *, clock: Clock, app: Celery) -> Parts:
    """Return the functions that open the store, lock, publisher and other parts of a daemon.

    Nothing is opened yet.
    """
    store_url, lock_url = config.store.url, schemes.lock_url(config.store.url, config.lock.url)
    prefix, ttl = config.store.prefix, config.lock.ttl.total_seconds()

    def publisher() -> Publisher:
        return CeleryPublisher(app=app, timeout=config.broker.timeout.total_seconds())

    if store_url.startswith(schemes.DJANGO):
        declaring: Declares = (mirror := _mirror_of(config, clock=clock, app=app))

        def store() -> Roles:
            mirror.row_state = opened = backends.open_django_store(
                store_url, codec=codec, timeout=ttl
            )
            return Roles.of(opened)
    else:
        declaring = declaring_of(config, clock=clock, app=app)

        def store() -> Roles:
            return Roles.of(configured_store(config, clock=clock, timeout_s=ttl))

    watched = Watched(elapsed=clock.elapsed)
    return Parts(
        store=store,
        lease=lambda: backends.open_lease(lock_url, prefix=prefix),
        publisher=publisher,
        dispatch=lambda claims, sender: backends.open_dispatch(claims, sender, clock=clock),
        declaring=declaring,
        outcomes=outcomes_of(config, clock=clock, app=app, watched=watched),
        timezone=config.timezone,
        queue_of=lambda entry: destination(app, entry).name,
        alerts=alerts_of(config, watched=watched),
        monitors=monitors_of(config),
    )


def outcomes_of(
    config: Config, *, clock: Clock, app: Celery, watched: Watched
) -> "Callable[[Roles], OutcomeReader] | None":
    """Return a function that makes the reader of runs' outcomes, or None if none is configured.

    A reader of a result backend also reads the results of `watched`, the entries with an `alert`.
    """
    timeout_s = config.broker.timeout.total_seconds()
    if config.outcomes.read_from == "reports":
        from beatd.outcomes.queue_connection import QueueReader
        from beatd.outcomes.queue_readers import queue_reader_on
        from beatd.outcomes.report_reader import ReportReader

        def queue() -> QueueReader:
            connection = connection_of(app, timeout_s, reads=True)
            return queue_reader_on(connection, config.outcomes.queue, timeout_s)

        return lambda store: ReportReader(queue)
    if config.outcomes.read_from == "results":
        from beatd.outcomes.results_reader import ResultsReader

        def names() -> Iterable[str]:
            return watched.entries

        return lambda store: ResultsReader(app=app, store=store, clock=clock, watched=names)
    return None


def declaring_of(config: Config, *, clock: Clock, app: Celery) -> Declares:
    """Return the object that writes all declared entries to the store.

    Entries are declared in the configuration's files, in its app, and in Django's tables if the
    store is a Django database.
    """
    if config.store.url.startswith(schemes.DJANGO):
        return _mirror_of(config, clock=clock, app=app)
    return Declarations(sources_of(config, clock=clock, app=app), clock=clock)


def _mirror_of(config: Config, *, clock: Clock, app: Celery) -> "DjangoMirror":
    # Nothing is written into Django's tables until the caller sets `row_state`.
    from beatd.definition.celery_schedule import zone_name_of
    from beatd.sources.django_mirror import DjangoMirror
    from beatd.sources.django_rows import DjangoRows

    return DjangoMirror(
        DjangoRows(config.store.url.removeprefix(schemes.DJANGO)),
        Declarations(sources_of(config, clock=clock, app=app), clock=clock),
        timezone=config.timezone if config.names_timezone else zone_name_of(app.timezone),
        name=config.name,
        clock=clock,
    )


def sources_of(config: Config, *, clock: Clock, app: Celery) -> list[Source]:
    """Return where entries are declared: the configuration's files, and its app if it has one."""
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
    """Build a daemon for the configuration and return it; it is not running yet.

    `app` is the project's Celery app; None means the app that the configuration names. `observers`
    are called with each event of the daemon. `parts` may replace the functions that open the store,
    lock, publisher and dispatch.

    Modules that the daemon needs later are imported now, partly by a thread; see `packages`.
    """
    history, clock = config.history, clock or SystemClock()
    app = app or celery_app(config)
    read_packages(app, config.store.url, schemes.lock_url(config.store.url, config.lock.url))
    me = backends.own_holder("", clock.now())
    return Daemon(
        parts=parts(parts_of(config, clock=clock, app=app)),
        me=me,
        clock=clock,
        ttl=config.lock.ttl.total_seconds(),
        history=HistoryLimits(history.keep, history.records, history.changes),
        limits=Limits(publish_timeout=config.broker.timeout.total_seconds() + 1),
        observers=observers,
        started=started_of(config, app, me.name),
    )
