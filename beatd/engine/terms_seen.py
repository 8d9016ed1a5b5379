"""Notice that the ledger lost terms, because it issued one with a smaller number than before."""

import threading

from beatd.engine.rewind import REPEATED
from beatd.events import Observer, WentBack
from beatd.leader import Term


class TermsSeen:
    """Keeps the newest term (fencing number of a leader) that was seen in the ledger.

    A ledger never issues a smaller number, to any daemon, unless it lost data. Any thread may call
    it; each loss emits one event.
    """

    def __init__(self, emit: Observer) -> None:
        self._emit = emit
        self._guard = threading.Lock()
        self._newest: Term | None = None

    def saw(self, term: Term) -> None:
        """Emit `WentBack` if the number of `term` shows that the ledger lost terms since the last
        call."""
        with self._guard:
            newest, self._newest = self._newest, term
        if newest is not None and term != newest and term.number <= newest.number:
            old = f"it issued term {term.number} after {newest.number}"
            self._emit(WentBack(f"{old}; {REPEATED}"))

    def forget(self) -> None:
        """Forget the newest term, because the store lost it and that was reported already."""
        with self._guard:
            self._newest = None
