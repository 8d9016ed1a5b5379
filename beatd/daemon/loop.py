"""A loop on a thread of its own; nothing that happens in a turn ends it, `stop` does."""

import threading
from collections.abc import Callable

from beatd.clock import Clock
from beatd.events import Broke, Observer

REST = 1.0  # after a turn that broke


class Loop:
    """Each turn returns how long to wait for the next; `wake` cuts that short, from any thread.

    An exception is told once for each place it comes from, and the next turn is taken.
    """

    def __init__(
        self, turn: Callable[[], float], *, name: str, patience: float, clock: Clock, tell: Observer
    ) -> None:
        self.name, self._turn, self._patience = name, turn, patience
        self._clock, self._tell = clock, tell
        self._wake = threading.Event()
        self._over = False
        self._told: set[tuple[type[Exception], str, int]] = set()
        self._turned_at = float("inf")
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._turned_at = self._clock.elapsed()
        self._thread = threading.Thread(target=self.run, name=f"beatd {self.name}", daemon=True)
        self._thread.start()

    def run(self) -> None:
        while True:
            self._wake.clear()
            if self._over:
                return
            self._turned_at = self._clock.elapsed()
            self._clock.wait(self._turned(), self._wake)

    def _turned(self) -> float:
        try:
            return self._turn()
        except Exception as error:
            if (kind := kind_of(error)) not in self._told:
                self._told.add(kind)
                self._tell(Broke(self.name, error))
            return REST

    def wake(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._over = True
        self._wake.set()

    def join(self, seconds: float) -> None:
        if self._thread is not None:
            self._thread.join(seconds)

    def trouble(self) -> str:
        """Why its work is not done, or nothing."""
        if self._thread is None or self._over:
            return ""
        if not self._thread.is_alive():
            return f"the thread of the {self.name} has ended"
        age = self._clock.elapsed() - self._turned_at
        if age > self._patience:
            return f"the {self.name} is stuck: last turn {age:.1f} s ago"
        return ""


def kind_of(error: Exception) -> tuple[type[Exception], str, int]:
    """Its type and where it was raised; its text may be another each time."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    if where is None:
        return type(error), "", 0
    return type(error), where.tb_frame.f_code.co_filename, where.tb_lineno
