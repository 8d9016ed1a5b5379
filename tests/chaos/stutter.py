"""A server that stands still again and again, as on a disk or a host that is too busy."""

import threading

from tests.chaos import process_tree

STOPPED_S, RUNNING_S = 0.08, 0.02


class Stutter:
    def __init__(self, pid: int) -> None:
        self._pid, self._over = pid, threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            process_tree.freeze(self._pid, process_tree.tree(self._pid))
            self._over.wait(STOPPED_S)
            process_tree.thaw(self._pid)
            self._over.wait(RUNNING_S)
