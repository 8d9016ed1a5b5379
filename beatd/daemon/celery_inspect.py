"""Answer `celery inspect ping -d celerybeat@HOST` in the same way as celery 5.7's own beat.

Celery's own code sends the answers, under celery's node name. It sends no answer while a tick is
overdue.
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
    """An object with the attributes of celery's beat service, which celery's mailbox reads."""

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
        """Delete the reference to the daemon, so that the daemon can be freed.

        The mailbox's thread still refers to this object for up to a second.
        """
        self._daemon = None


def mailbox_of(service: _AsService) -> Any:
    """Return celery's mailbox for `service`, with a loop that starts again after a failure.

    Celery's own loop ends at a message that cannot be read, and after a long outage of the broker.
    """

    class Mailbox(BeatPidbox):  # type: ignore[misc]
        retry_interval = RECONNECT_AFTER_S

        def _loop(self) -> None:
            while not self._shutdown.is_set():
                super()._loop()
                self._shutdown.wait(RECONNECT_AFTER_S)

    return Mailbox(service)


class CeleryInspect:
    """Answers `celery inspect` between the calls of `open` and `close`.

    Both methods do nothing if the broker cannot broadcast messages, or if celery has no mailbox for
    beat (before 5.7).
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
        """Start the thread that answers; an error of the broker is ignored."""
        if self._mailbox is not None:
            with suppress(Exception):  # The publisher reports a broker that cannot be used.
                self._mailbox.start()

    def close(self) -> None:
        """Stop answering, and wait at most `JOIN_TIMEOUT_S` for the mailbox's thread."""
        if self._mailbox is not None:
            self._mailbox.join_timeout = JOIN_TIMEOUT_S
            self._mailbox.stop()
            self._service.close()
