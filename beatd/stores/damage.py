"""What lies in a store and cannot be read: left alone, named once in the log, and by `problems`."""

import logging
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

from beatd.errors import ConfigError

T = TypeVar("T")

KEPT = 100  # places that are remembered; a store with more is not mended by a longer list
LONGEST_REASON = 200
#: Whatever a decoder raises for what it was not made for; msgspec's errors are ValueErrors.
UNREADABLE = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
    RecursionError,
    ConfigError,
)

log = logging.getLogger(__name__)


class Damage:
    """The damaged places that this process met; a place that reads well again is forgotten."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._found: dict[str, str] = {}
        self._lock = Lock()

    def read(self, what: str, decode: Callable[[], T]) -> T | None:
        """What `decode` returns, or None where it raises for damage; then `what` is named."""
        try:
            found = decode()
        except UNREADABLE as reason:
            self.note(what, reason)
            return None
        if what in self._found:
            with self._lock:
                self._found.pop(what, None)
        return found

    def note(self, what: str, reason: Exception | str) -> None:
        said = " ".join(str(reason).split())[:LONGEST_REASON] or type(reason).__name__
        with self._lock:
            if what in self._found or len(self._found) >= KEPT:
                return
            self._found[what] = said
        log.error("%s", self._line(what, said))

    def lines(self) -> Sequence[str]:
        with self._lock:
            return [self._line(what, said) for what, said in self._found.items()]

    def _line(self, what: str, said: str) -> str:
        return f"{self._where}: {what} is damaged and was left alone: {said}"
