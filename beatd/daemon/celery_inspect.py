"""`celery inspect ping -d celerybeat@HOST`, answered as celery 5.7's own beat answers it.

Celery's code does it: the same node name, the same silence once a tick is overdue.
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

RECONNECTS_AFTER_S = 0.2
FANOUT = ("redis", "amqp", "pyamqp", "amqps", "rediss", "sentinel")


class _AsService:
    """What the mailbox asks of celery's beat service."""

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
        """Forget the daemon: the mailbox's thread, which holds this, ends up to a second later."""
        self._daemon = None


def mailbox_of(service: _AsService) -> Any:
    """Celery's mailbox, which goes on whatever ended its loop: a message that cannot be read, a
    broker that was away too long."""

    class Mailbox(BeatPidbox):  # type: ignore[misc]
        retry_interval = RECONNECTS_AFTER_S

        def _loop(self) -> None:
            while not self._shutdown.is_set():
                super()._loop()
                self._shutdown.wait(RECONNECTS_AFTER_S)

    return Mailbox(service)


class Remote:
    def __init__(self, app: Celery, daemon: Daemon) -> None:
        self._mailbox = None
        try:
            transport = app.connection_for_read().transport_cls
        except Exception:
            return  # The publisher says what is wrong with the broker's URL.
        wanted = app.conf.beat_enable_remote_control or transport in FANOUT
        if BeatPidbox is not None and wanted:
            self._service = _AsService(app, daemon)
            self._mailbox = mailbox_of(self._service)

    def open(self) -> None:
        if self._mailbox is not None:
            with suppress(Exception):  # as above
                self._mailbox.start()

    def close(self) -> None:
        if self._mailbox is not None:
            self._mailbox.join_timeout = 0.2  # its thread is a daemon and holds up nothing
            self._mailbox.stop()
            self._service.close()
