"""Notice changes that other processes make in PostgreSQL, by its notifications."""

from collections.abc import Mapping
from select import POLLIN, poll
from threading import Event, Thread
from typing import Any

import psycopg

from beatd.catalog import Wake
from beatd.servers.postgresql import CONNECTION_ERRORS, connect_options

CHANNEL = "beatd"
CONNECT_TIMEOUT_S = 5.0
CLOSED_WITHIN_S = 0.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5  # before it connects again


def _nobody() -> None: ...


class Notices:
    """A thread that calls `wake` whenever PostgreSQL notifies it of a change in the store.

    After a failure the thread connects again, and calls `wake` because it may have missed
    notifications.
    """

    def __init__(self, options: Mapping[str, Any], wake: Wake) -> None:
        self._options = {**options, **connect_options("beatd watch", CONNECT_TIMEOUT_S)}
        self._wake = wake
        self._stopped = Event()
        Thread(target=self._run, name="beatd-postgresql-watch", daemon=True).start()

    def stop(self) -> None:
        """Stop calling `wake`, and return at once; the thread ends within half a second."""
        self._stopped.set()
        self._wake = _nobody

    def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._stopped.is_set():
            try:
                self._listen()
                pause = FIRST_PAUSE_S
            except CONNECTION_ERRORS:
                self._stopped.wait(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)

    def _listen(self) -> None:
        with psycopg.connect(autocommit=True, **self._options) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            here = connection.execute("SELECT current_schema()").fetchone()
            self._wake()  # an edit may have been missed while nobody listened
            # psycopg's own wait would wake this thread ten times a second.
            waiting = poll()
            waiting.register(connection, POLLIN)
            while not self._stopped.is_set():
                ready = waiting.poll(CLOSED_WITHIN_S * 1000)
                notices = connection.notifies(timeout=0) if ready else ()
                if any(here and notice.payload == here[0] for notice in notices):
                    self._wake()
