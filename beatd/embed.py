"""Run beatd inside another program: `with Beat("config.yaml"): …`."""

import threading
from os import PathLike

from beatd.config import Config, load_config
from beatd.daemon.daemon import Daemon
from beatd.errors import BeatError
from beatd.events import Observer
from beatd.observers.log import LogObserver
from beatd.wiring.build import daemon_of


class Beat:
    """Runs a scheduler daemon on a thread of its own, inside another program.

    It logs to the logger `beatd` and sets no signal handlers. `observers` are called with each
    event.
    """

    def __init__(
        self, config: str | PathLike[str] | Config, *, observers: tuple[Observer, ...] = ()
    ) -> None:
        read = config if isinstance(config, Config) else load_config(str(config)).config
        self.daemon: Daemon = daemon_of(read, observers=(LogObserver(), *observers))
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="beatd beat", daemon=True)

    def start(self) -> "Beat":
        """Start the daemon's thread, and return this object."""
        self._thread.start()
        return self

    def stop(self, timeout: float | None = 5.0) -> None:
        """Finish the current batch, give up the lead and wait until the thread has ended.

        Raise BeatError if it does not end within `timeout` seconds (None: wait for ever), or the
        error that ended the thread earlier.
        """
        self.daemon.stop()
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise BeatError(f"the beat did not stop within {timeout} s")
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self.daemon.run()
        except BaseException as error:
            self._error = error

    def __enter__(self) -> "Beat":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
