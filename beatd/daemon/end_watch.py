"""End at SIGTERM or SIGINT while the main thread makes a service, which may hang."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from beatd.daemon.next_signal import CHECK_EVERY_S, next_signal

ENDS = (signal.SIGTERM, signal.SIGINT)


class EndWatch:
    """A thread that ends the process at SIGTERM or SIGINT inside a `with` block of `watching`.

    The main thread may wait there for an app that does not import. Without memory it may wait for
    ever for a new thread, so this one is started at the beginning. All threads must block ENDS.
    """

    def __init__(self) -> None:
        self._armed, self._waits = threading.Event(), threading.Lock()
        self._end: Callable[[], int] = lambda: 0
        threading.Thread(target=self._run, name="beatd end", daemon=True).start()

    @contextmanager
    def watching(self, end: Callable[[], int] = lambda: 0) -> Iterator[None]:
        """At SIGTERM or SIGINT, call `end` on another thread, and exit with the code it returns."""
        self._end = end
        self._armed.set()
        try:
            yield
        finally:
            self._armed.clear()
            with self._waits:  # from now on it takes no signal
                self._end = lambda: 0  # what `end` holds is to be collected

    def _run(self) -> None:
        while True:
            self._armed.wait()
            with self._waits:
                if self._armed.is_set() and next_signal(ENDS, CHECK_EVERY_S) is not None:
                    code = 1
                    try:
                        code = self._end()
                    finally:
                        os._exit(code)
