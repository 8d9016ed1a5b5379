"""`celery inspect ping -d celerybeat@HOST`, answered as celery 5.7's own beat answers it.

Celery's code does it: the same node name, the same silence once a tick is overdue.
"""

import time

from celery import Celery

from beatd.daemon import Daemon

try:
    from celery.beat import BeatPidbox
except ImportError:  # celery before 5.7, whose beat does not answer either
    BeatPidbox = None

FANOUT = ("redis", "amqp", "pyamqp", "amqps", "rediss", "sentinel")


class _AsService:
    """What the mailbox asks of celery's beat service."""

    hostname = None
    max_interval = effective_max_interval = 1.0

    def __init__(self, app: Celery, daemon: Daemon) -> None:
        self.app, self._daemon = app, daemon

    @property
    def _last_tick(self) -> float:
        return time.monotonic() - self._daemon.tick_age()


class Remote:
    def __init__(self, app: Celery, daemon: Daemon) -> None:
        self._mailbox = None
        transport = app.connection_for_read().transport_cls
        wanted = app.conf.beat_enable_remote_control or transport in FANOUT
        if BeatPidbox is not None and wanted:
            self._mailbox = BeatPidbox(_AsService(app, daemon))

    def open(self) -> None:
        if self._mailbox is not None:
            self._mailbox.start()

    def close(self) -> None:
        if self._mailbox is not None:
            self._mailbox.join_timeout = 0.2  # its thread is a daemon and holds up nothing
            self._mailbox.stop()
