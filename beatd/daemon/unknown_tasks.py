"""Decide which runs of a task that no worker knows are worth a line of the log.

Each run of such an entry fails alike until somebody corrects it.
"""

import re

from beatd.outcome import Delivery

SAID_AGAIN_AFTER_S = 3600.0
ENTRIES_MAX = 10_000  # whose last line is remembered
#: The error of such a run; that of a canvas begins with the number and the task of the step.
_NOT_REGISTERED = re.compile(r"(^|: )NotRegistered\b")


def is_unknown_task(error: str) -> bool:
    """Return True if the error of a run says that its worker does not know the task."""
    return _NOT_REGISTERED.search(error) is not None


class UnknownTasks:
    """Remembers for each entry the last error about an unknown task, when it was said, and how
    many runs failed with the same error since."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, float, int]] = {}

    def repeats(self, delivery: Delivery, elapsed: float) -> int | None:
        """Return None if the run is worth no line, else the number of runs without one before it.

        A run is worth a line if its entry had no such error, or another one, or if the last line is
        an hour old. `elapsed` is the present value of `Clock.elapsed`.
        """
        error, at, count = self._said.get(delivery.name, ("", 0.0, 0))
        same = error == delivery.error
        if same and elapsed - at < SAID_AGAIN_AFTER_S:
            self._said[delivery.name] = (error, at, count + 1)
            return None
        if same or len(self._said) < ENTRIES_MAX:
            self._said[delivery.name] = (delivery.error, elapsed, 0)
        return count if same else 0

    def forget(self, name: str) -> None:
        """Forget the error of an entry, because a run of it ended in another way."""
        self._said.pop(name, None)
