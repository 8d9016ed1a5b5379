"""Notice that the ledger lost data, when the number of a new leader's term does not grow."""

import threading

from beatd.engine.rewind import REPEATED
from beatd.events import Observer, WentBack
from beatd.leader import Term


class TermsSeen:
    """Remembers the newest term (fencing number of a leader), to notice that the ledger lost data.

    The numbers in a ledger always grow, for all daemons together. Any thread may call the methods.
    """

    def __init__(self, emit: Observer) -> None:
        self._emit = emit
        self._guard = threading.Lock()
        self._newest: Term | None = None

    def saw(self, term: Term) -> None:
        """Emit `WentBack` if `term` is new but its number is not greater than the last one."""
        with self._guard:
            newest, self._newest = self._newest, term
        if newest is not None and term != newest and term.number <= newest.number:
            old = f"it issued term {term.number} after {newest.number}"
            self._emit(WentBack(f"{old}; {REPEATED}"))

    def forget(self) -> None:
        """Forget the newest term, after the loss of all terms was already reported."""
        with self._guard:
            self._newest = None
