"""Notice that the ledger issued a term with a smaller number than before, so that it lost terms."""

import threading

from beatd.engine.rewind import REPEATED
from beatd.events import Observer, WentBack
from beatd.leader import Term


class TermsSeen:
    """Keeps the newest term that was seen. A ledger never issues a smaller number, to any daemon,
    unless it lost data.

    Any thread may call it; each loss emits one event.
    """

    def __init__(self, tell: Observer) -> None:
        self._tell = tell
        self._guard = threading.Lock()
        self._newest: Term | None = None

    def saw(self, term: Term) -> None:
        """Compare the ledger's newest term with the last one; emit WentBack if it is older."""
        with self._guard:
            newest, self._newest = self._newest, term
        if newest is not None and term != newest and term.number <= newest.number:
            old = f"it issued term {term.number} after {newest.number}"
            self._tell(WentBack(f"{old}; {REPEATED}"))

    def forget(self) -> None:
        """Forget the term seen: the store lost it, and that was reported."""
        with self._guard:
            self._newest = None
