"""Run the daemon of `beatd -c FILE` with its log, its HTTP pages and `celery inspect`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from beatd.config import Config
from beatd.daemon.celery_inspect import CeleryInspect
from beatd.daemon.status import status_of
from beatd.events import Observer
from beatd.observers.log import LogObserver
from beatd.observers.systemd import SystemdObserver
from beatd.observers.traces import TracesObserver
from beatd.schedules import zone
from beatd.schedules.moment import in_zone
from beatd.wiring.build import celery_app, daemon_of

if TYPE_CHECKING:
    from beatd.wiring.web import Web


class DaemonService:
    """A daemon together with its log, its HTTP pages and its answers to `celery inspect`.

    The constructor builds all of them. `open` starts the pages and the answers, but not the daemon.
    """

    def __init__(self, config: Config, systemd: SystemdObserver) -> None:
        self.has_app = config.app is not None
        self._web: Web | None = None
        observers: tuple[Observer, ...] = (
            LogObserver(_time_text(config)),
            systemd,
            TracesObserver(),
        )
        if config.http is not None:
            # Imported only here, because their libraries take a third of a second.
            from beatd.observers.metrics import Metrics
            from beatd.wiring import web

            metrics = Metrics()
            observers = (*observers, metrics)
            self._web = web.Web(config, config.http, metrics)
        app = celery_app(config)
        self.daemon = daemon_of(config, app=app, observers=observers)
        self._inspect = CeleryInspect(app, self.daemon)

    def open(self) -> None:
        """Open the HTTP pages and start to answer `celery inspect`.

        Raises BeatError if the address of the pages cannot be used.
        """
        self._inspect.open()
        if self._web is not None:
            self._web.open(self.daemon, self.status)

    def status(self) -> dict[str, object]:
        """Return the content of the HTTP page /status."""
        return status_of(self.daemon)

    def close(self) -> None:
        """Close the HTTP pages and stop answering `celery inspect`."""
        self._inspect.close()
        if self._web is not None:
            self._web.close()


def _time_text(config: Config) -> Callable[[datetime], str]:
    # A line of JSON has all its times in UTC.
    home = zone(config.timezone) if config.log.format == "text" else UTC
    return lambda moment: in_zone(moment, home).isoformat()
