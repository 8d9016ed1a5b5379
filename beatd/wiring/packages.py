"""Reading of files of packages soon after the start, which a daemon may need later.

An upgrade replaces or deletes files while a daemon runs, and a process may have no descriptor left
when it needs one. Modules are imported in `lazy_imports`; these files take longer, so the beat does
not wait for them.
"""

import logging
import threading

from celery import Celery

from beatd.publishers.celery_app import import_for_sending
from beatd.schedules.zone import keep_zones

log = logging.getLogger("beatd")

READ_AFTER_S = 2.0  # the beat has started by then


class Packages:
    """Reads the files on a thread of its own; after a reload they are not read again."""

    def __init__(self, app: Celery) -> None:
        self._app, self._closed = app, threading.Event()

    def open(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="beatd packages", daemon=True).start()

    def close(self) -> None:
        """Read nothing, if that has not begun."""
        self._closed.set()

    def _run(self) -> None:
        if self._closed.wait(READ_AFTER_S):
            return
        import_for_sending(self._app)
        try:
            keep_zones()
        except OSError as trouble:
            log.warning("time zones are read when they are needed: %s", trouble)
            return
        log.debug("the packages have been read, nothing of them is needed from here on")
