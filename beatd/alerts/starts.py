"""The moments from which entries are judged, for entries that have no success yet or were
paused."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import MsgspecError, Struct, json

KEPT_MAX = 1000  # in the store; more are known to this leader only


class Start(Struct, frozen=True, omit_defaults=True):
    """The moment from which an entry is judged.

    `is_resume` is True if the entry was paused or disabled before that moment. While `paused` is
    True the entry is not judged at all.
    """

    at: datetime
    is_resume: bool = False
    paused: bool = False


class Starts:
    """The moment from which each watched entry (an entry with an `alert`) is judged.

    The argument `text` is what the method `text` returned to an earlier leader. An empty or
    unreadable text counts as no starts.
    """

    def __init__(self, text: str = "") -> None:
        self._starts: dict[str, Start] = {}
        self._proven: set[str] = set()  # entries whose successes show from when they are judged
        try:
            self._starts = json.decode(text, type=dict[str, Start]) if text else {}
        except MsgspecError:
            self._starts = {}  # a newer version wrote it; counting begins anew

    def text(self) -> str:
        """Return the starts that still matter as JSON text, at most KEPT_MAX of them. The next
        leader creates its `Starts` from this text."""
        kept = [(name, one) for name, one in self._starts.items() if name not in self._proven]
        return json.encode(dict(kept[-KEPT_MAX:])).decode()

    def see(self, paused: Mapping[str, bool], now: datetime) -> None:
        """Update the starts to the entries that are watched now. `paused` has True for each entry
        that is paused or disabled.

        A new entry starts now, and so does an entry that is no longer paused. The start of an entry
        that is not in `paused` is deleted.
        """
        for name, is_paused in paused.items():
            before = self._starts.get(name)
            if is_paused and (before is None or not before.paused):
                self._begin(name, Start(now, paused=True))
            elif not is_paused and before is None:
                self._begin(name, Start(now))
            elif not is_paused and before is not None and before.paused:
                self._begin(name, Start(now, is_resume=True))
        for name in [name for name in self._starts if name not in paused]:
            del self._starts[name]
            self._proven.discard(name)

    def _begin(self, name: str, start: Start) -> None:
        self._starts[name] = start
        self._proven.discard(name)

    def get(self, name: str) -> Start | None:
        """Return the start of a watched entry, or None if the entry is not watched."""
        return self._starts.get(name)

    def succeeded(self, name: str, at: datetime) -> None:
        """Record a success of an entry. If the success came after the entry's start, `text()`
        leaves this start out from now on."""
        start = self._starts.get(name)
        if start is not None and not start.paused and at > start.at:
            self._proven.add(name)
