"""Run the scheduler daemon inside your own program: `with Beat("config.yaml"): …`."""

import logging
import threading
from os import PathLike
from types import TracebackType
from typing import Any

from msgspec.structs import replace

from beatd.config import Config, load_config, make_folders
from beatd.config.extras import missing_drivers
from beatd.daemon.daemon import Daemon
from beatd.daemon.empty_status import status_without_store
from beatd.daemon.status import status_of
from beatd.edits import run_requests
from beatd.errors import BeatError, ConfigError, StoreError, in_one_line
from beatd.events import Event, Observer, StoreAway
from beatd.observers.log import LogObserver
from beatd.wiring.build import daemon_of

log = logging.getLogger("beatd")


class Beat:
    """Runs a scheduler daemon on a background thread of your program.

    The daemon logs to the logger `beatd`, sets no signal handlers and opens no port. `observers`
    are called with each event. Creating a Beat raises ConfigError if the configuration is wrong.
    """

    def __init__(
        self, config: str | PathLike[str] | Config, *, observers: tuple[Observer, ...] = ()
    ) -> None:
        read = config if isinstance(config, Config) else load_config(str(config)).config
        if missing := list(missing_drivers(read)):
            raise ConfigError(in_one_line(missing), missing)
        make_folders(read)
        observers = (LogObserver(), self._note, *observers)
        used = {key: value for key, value in read.start_settings.items() if key != "http"}
        read = replace(read, http=None, start_settings=used)
        self.daemon: Daemon = daemon_of(read, observers=observers)
        self._error: BaseException | None = None
        self._opened_or_waits = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beatd beat", daemon=True)

    @property
    def alive(self) -> bool:
        """True if the daemon runs and makes progress, even while a server is unreachable."""
        return self._thread.is_alive() and self.daemon.alive()

    def status(self) -> dict[str, Any]:
        """Return the state of the daemon: "alive" and the keys of `beatd status --json`.

        If the daemon does not run, "alive" is False, and the store's "error" is the reason.
        """
        if self._thread.is_alive():
            return {"alive": self.alive, **status_of(self.daemon)}
        why = f"the beat ended: {self._error}" if self._error else "the beat does not run"
        return {"alive": False, **status_without_store(why)}

    def trigger(self, name: str) -> str:
        """Request one run of the entry `name` now, and return its task id.

        Raises BeatError if there is no such entry, the store cannot be used, or the daemon does not
        run.
        """
        store = self.daemon.store
        if store is None or not self._thread.is_alive():
            raise StoreError(f"nothing was triggered: {self.status()['store']['error']}")
        task_id = run_requests.trigger(store.requests, name, self.daemon.now())
        self.daemon.wake()
        return task_id

    def start(self) -> "Beat":
        """Start the daemon, and return this object when the store is open.

        If the store is unreachable, return at once and keep trying. Raises StoreUnusable if the
        store cannot be used, and BeatError if the daemon was started before.
        """
        if self._thread.ident is not None:
            raise BeatError("this Beat was started before; make another one")
        self._thread.start()
        self._opened_or_waits.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def stop(self, timeout: float | None = 5.0) -> None:
        """Stop the daemon: finish the current batch, hand over the lead, and wait for its thread.

        Raises BeatError if this takes longer than `timeout` seconds (None: no limit), or the error
        that ended the daemon earlier.
        """
        self.daemon.stop()
        if self._thread.ident is None:
            return
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise BeatError(f"the beat did not stop within {timeout} s")
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            with self.daemon:
                self._opened_or_waits.set()
                self.daemon.turn_until_stopped()
        except BaseException as error:
            self._error = error
            if self._opened_or_waits.is_set():  # else `start` raises it
                log.exception("the beat ended: %s", error)
        finally:
            self._opened_or_waits.set()

    def _note(self, event: Event) -> None:
        if isinstance(event, StoreAway):
            self._opened_or_waits.set()

    def __enter__(self) -> "Beat":
        return self.start()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop the daemon.

        If the `with` block raised an error, an error of the daemon is only logged.
        """
        try:
            self.stop()
        except Exception as trouble:
            if error is None:
                raise
            log.error("%s", trouble)
