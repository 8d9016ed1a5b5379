"""Report stored data that cannot be decoded, and leave the data as they are. Each damaged place is
logged once and listed as a problem of the store."""

import logging
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

from beatd.errors import ConfigError

T = TypeVar("T")

KEPT = 100  # damaged places that are remembered; nobody reads a longer list
LONGEST_REASON = 200
#: The errors that decoders raise for damaged data; those of msgspec are ValueErrors.
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
    """A list of up to 100 places in a store whose data cannot be decoded, for the log and `beatd
    check`.

    A place leaves the list when it can be decoded again. `where` names the store in messages.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._found: dict[str, str] = {}
        self._lock = Lock()

    def read(self, what: str, decode: Callable[[], T]) -> T | None:
        """Return the result of `decode`, or None if it raises an error because the stored data are
        damaged.

        Damage is logged once for each place. `what` names the place, such as "the plan of entry
        'a'".
        """
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
        """Log an error about the damaged place `what`, and add it to the list if it is not in it
        yet.

        Do nothing if the list is full.
        """
        said = " ".join(str(reason).split())[:LONGEST_REASON] or type(reason).__name__
        with self._lock:
            if what in self._found or len(self._found) >= KEPT:
                return
            self._found[what] = said
        log.error("%s", self._line(what, said))

    def lines(self) -> Sequence[str]:
        """Return one line of text for each place in the store that is damaged now."""
        with self._lock:
            return [self._line(what, said) for what, said in self._found.items()]

    def _line(self, what: str, said: str) -> str:
        return f"{self._where}: {what} is damaged and was left alone: {said}"
