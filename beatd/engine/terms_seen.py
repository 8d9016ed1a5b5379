"""Notice that the store lost data: a new leader has no higher number than the one before."""

import threading

from beatd.engine.rewind import REPEATED
from beatd.events import Observer, WentBack
from beatd.leader import Term


class TermsSeen:
    """Remembers the number of the newest leader, to notice that the store lost data.

    Each new leader gets a higher number; one that does not grow shows a loss. Any thread may call
    the methods.
    """

    def __init__(self, emit: Observer) -> None:
        self._emit = emit
        self._guard = threading.Lock()
        self._newest: Term | None = None

    def saw(self, term: Term) -> None:
        """Emit `WentBack` if a new leader has no higher number than the leader before."""
        with self._guard:
            newest, self._newest = self._newest, term
        if newest is not None and term != newest and term.number <= newest.number:
            old = f"it issued term {term.number} after {newest.number}"
            self._emit(WentBack(f"{old}; {REPEATED}"))

    def forget(self) -> None:
        """Forget the number of the newest leader, after the loss of all data was reported."""
        with self._guard:
            self._newest = None
