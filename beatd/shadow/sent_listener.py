"""Receive another scheduler's messages through Celery's "task-sent" events."""

import logging
import threading
from contextlib import suppress

from celery import Celery

from beatd.shadow.saved_tally import SavedTally

log = logging.getLogger("beatd")

RECONNECT_AFTER_S = 1.0
DRAIN_TIMEOUT_S = 0.5
JOIN_TIMEOUT_S = 5.0


class SentListener:
    """A thread that receives Celery's "task-sent" events from the broker and adds them to `tally`.

    The thread starts at once, saves the report regularly, and reconnects after a broker error.
    """

    def __init__(self, app: Celery, tally: SavedTally) -> None:
        self._app, self._tally = app, tally
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beatd shadow", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except Exception as error:
                # Each transport has errors of its own.
                log.warning("the broker cannot be heard: %s", " ".join(str(error).split())[:200])
            # The other scheduler is not judged by what it sends meanwhile.
            self._tally.set_listening(False)
            self._tally.save(now=True)
            self._stop.wait(RECONNECT_AFTER_S)

    def _listen(self) -> None:
        with self._app.connection_for_read() as connection:
            receiver = self._app.events.Receiver(
                connection, handlers={"task-sent": self._tally.add_event}, routing_key="task.sent"
            )
            with receiver.consumer_context(wakeup=False) as (link, _channel, _consumers):
                self._tally.set_listening(True)
                while not self._stop.is_set():
                    with suppress(TimeoutError):
                        link.drain_events(timeout=DRAIN_TIMEOUT_S)
                    self._tally.save()

    def close(self) -> None:
        """Stop the thread, which saves the report, and wait for it at most JOIN_TIMEOUT_S
        seconds."""
        self._stop.set()
        self._thread.join(JOIN_TIMEOUT_S)
