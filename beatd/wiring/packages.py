"""What a daemon may read of its packages later, read soon after its start: an upgrade replaces or
deletes files under a running daemon, and a process may have no descriptor left when it needs one.

What is imported is in `lazy_imports`; this takes longer, so the beat does not wait for it.
"""

import logging
import threading

from celery import Celery

from beatd.publishers.celery_app import import_for_sending
from beatd.schedules.zone import keep_zones

log = logging.getLogger("beatd")

AFTER_S = 2.0  # the beat has started by then


class Packages:
    """Reads them on a thread of its own; what a reload finds read is not read again."""

    def __init__(self, app: Celery) -> None:
        self._app, self._closed = app, threading.Event()

    def open(self) -> None:
        threading.Thread(target=self._run, name="beatd packages", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def _run(self) -> None:
        if self._closed.wait(AFTER_S):
            return
        import_for_sending(self._app)
        try:
            keep_zones()
        except OSError as trouble:
            log.warning("time zones are read when they are needed: %s", trouble)
            return
        log.debug("the packages have been read, nothing of them is needed from here on")
