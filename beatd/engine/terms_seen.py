"""Noticing that the ledger issued a term that is older than one it issued before."""

import threading

from beatd.engine.rewind import REPEATED
from beatd.events import Observer, WentBack
from beatd.leader import Term


class TermsSeen:
    """A ledger never issues a term that is older than one it issued before, to whichever daemon.

    Any thread may call it; each loss is told once.
    """

    def __init__(self, tell: Observer) -> None:
        self._tell = tell
        self._guard = threading.Lock()
        self._newest: Term | None = None

    def saw(self, term: Term) -> None:
        """The newest term that the ledger has now."""
        with self._guard:
            newest, self._newest = self._newest, term
        if newest is not None and term != newest and term.number <= newest.number:
            old = f"it issued term {term.number} after {newest.number}"
            self._tell(WentBack(f"{old}; {REPEATED}"))

    def forget(self) -> None:
        """What was seen is gone, and that was told."""
        with self._guard:
            self._newest = None
