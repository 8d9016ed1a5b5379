"""Notice that the ledger lost terms (fencing numbers): a new one is not greater than the last."""

import threading

from beatd.engine.rewind import REPEATED
from beatd.events import Observer, WentBack
from beatd.leader import Term


class TermsSeen:
    """Keeps the newest term (fencing number of a leader) that was seen in the ledger.

    The numbers in a ledger always grow, for all daemons together, unless the ledger lost data. Any
    thread may call the methods. Each loss emits one event.
    """

    def __init__(self, emit: Observer) -> None:
        self._emit = emit
        self._guard = threading.Lock()
        self._newest: Term | None = None

    def saw(self, term: Term) -> None:
        """Emit `WentBack` if `term` shows that the ledger lost terms since the last call."""
        with self._guard:
            newest, self._newest = self._newest, term
        if newest is not None and term != newest and term.number <= newest.number:
            old = f"it issued term {term.number} after {newest.number}"
            self._emit(WentBack(f"{old}; {REPEATED}"))

    def forget(self) -> None:
        """Forget the newest term; call this when the store lost its terms and that was reported."""
        with self._guard:
            self._newest = None
