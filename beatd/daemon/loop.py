"""Call a function repeatedly on a thread of its own; an exception does not end the loop."""

import threading
from collections.abc import Callable

from beatd.clock import Clock
from beatd.events import Broke, Observer

PAUSE_AFTER_FAILURE_S = 1.0
#: For a loop that may wait for a slow server, which is no reason to end the daemon.
NEVER_STUCK_S = float("inf")


class Loop:
    """Calls `turn` repeatedly on a thread; `turn` returns the seconds to wait before the next call.

    An exception emits the event Broke, once for each line of code that raises it. `trouble` reports
    a call that takes longer than `stuck_after_s`.
    """

    def __init__(
        self,
        turn: Callable[[], float],
        *,
        name: str,
        stuck_after_s: float,
        clock: Clock,
        observer: Observer,
    ) -> None:
        self.name, self._turn, self._stuck_after_s = name, turn, stuck_after_s
        self._clock, self._observer = clock, observer
        self._wake = threading.Event()
        self._stopped = False
        self._reported: set[tuple[type[Exception], str, int]] = set()
        self._turned_at = float("inf")
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the loop on a new thread."""
        self._turned_at = self._clock.elapsed()
        self._thread = threading.Thread(target=self.run, name=f"beatd {self.name}", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Call `turn` until `stop` is called. The thread that `start` creates runs this method."""
        while True:
            self._wake.clear()
            if self._stopped:
                return
            self._turned_at = self._clock.elapsed()
            self._clock.wait(self._turn_safely(), self._wake)

    def _turn_safely(self) -> float:
        # After an exception, the pause is a fixed one.
        try:
            return self._turn()
        except Exception as error:
            if not self._stopped and (kind := kind_of(error)) not in self._reported:
                self._reported.add(kind)
                self._observer(Broke(self.name, error))
            return PAUSE_AFTER_FAILURE_S

    def wake(self) -> None:
        """Start the next call of `turn` now. Any thread may call this."""
        self._wake.set()

    def stop(self) -> None:
        """End the loop after the current call of `turn`. Any thread may call this."""
        self._stopped = True
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, but no longer than `seconds`."""
        if self._thread is not None:
            self._thread.join(seconds)

    def trouble(self) -> str:
        """Return why the loop makes no progress, or "" if it makes progress or was stopped."""
        if self._thread is None or self._stopped:
            return ""
        if not self._thread.is_alive():
            return f"the thread of the {self.name} has ended"
        age = self._clock.elapsed() - self._turned_at
        if age > self._stuck_after_s:
            return f"the {self.name} is stuck: last turn {age:.1f} s ago"
        return ""


def kind_of(error: Exception) -> tuple[type[Exception], str, int]:
    """Return the type of an exception, with the file and line that raised it.

    Two failures with equal results count as the same one.
    """
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    if where is None:
        return type(error), "", 0
    return type(error), where.tb_frame.f_code.co_filename, where.tb_lineno
