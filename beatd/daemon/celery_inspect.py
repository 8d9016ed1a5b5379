"""Answer `celery inspect ping -d celerybeat@HOST`, as the beat of Celery 5.7 does.

Celery's own code sends the answers. None are sent while the scheduling is stuck.
"""

import time
from contextlib import suppress
from typing import Any

from celery import Celery

from beatd.daemon.daemon import Daemon

try:
    from celery.beat import BeatPidbox
except ImportError:  # celery before 5.7, whose beat does not answer either
    BeatPidbox = None

RECONNECT_AFTER_S = 0.2
JOIN_TIMEOUT_S = 0.2
FANOUT_TRANSPORTS = ("redis", "amqp", "pyamqp", "amqps", "rediss", "sentinel")


class _AsService:
    # This object has the attributes that Celery's mailbox expects of Celery's beat service.
    hostname = None
    max_interval = effective_max_interval = 1.0

    def __init__(self, app: Celery, daemon: Daemon) -> None:
        self.app = app
        self._daemon: Daemon | None = daemon

    @property
    def _last_tick(self) -> float | None:
        daemon = self._daemon
        return None if daemon is None else time.monotonic() - daemon.tick_age()

    def close(self) -> None:
        self._daemon = None  # the mailbox's thread still refers to `self` for up to a second


def mailbox_of(service: _AsService) -> Any:
    """Return Celery's object that answers `celery inspect`, changed to restart after a failure."""

    class Mailbox(BeatPidbox):  # type: ignore[misc]
        retry_interval = RECONNECT_AFTER_S

        def _loop(self) -> None:
            while not self._shutdown.is_set():
                super()._loop()  # ends at an unreadable message and after a long outage
                self._shutdown.wait(RECONNECT_AFTER_S)

    return Mailbox(service)


class CeleryInspect:
    """Answers `celery inspect` for this daemon from the call of `open` until the call of `close`.

    Does nothing if the broker cannot broadcast messages, or with Celery before 5.7.
    """

    def __init__(self, app: Celery, daemon: Daemon) -> None:
        self._mailbox = None
        try:
            transport = app.connection_for_read().transport_cls
        except Exception:
            return  # The publisher reports a broker URL that is wrong.
        wanted = app.conf.beat_enable_remote_control or transport in FANOUT_TRANSPORTS
        if BeatPidbox is not None and wanted:
            self._service = _AsService(app, daemon)
            self._mailbox = mailbox_of(self._service)

    def open(self) -> None:
        """Start the thread that answers `celery inspect`; ignore an error of the broker."""
        if self._mailbox is not None:
            with suppress(Exception):  # The publisher reports a broker that cannot be used.
                self._mailbox.start()

    def close(self) -> None:
        """Stop answering, and wait at most `JOIN_TIMEOUT_S` for the thread to end."""
        if self._mailbox is not None:
            self._mailbox.join_timeout = JOIN_TIMEOUT_S
            self._mailbox.stop()
            self._service.close()
