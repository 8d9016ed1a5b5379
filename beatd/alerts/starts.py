"""From when on entries are judged that have no success yet, or that were paused."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import MsgspecError, Struct, json

KEPT_MAX = 1000  # in the store; more are known to this leader only


class Start(Struct, frozen=True, omit_defaults=True):
    """The moment from which an entry is judged.

    `is_resume` is True if the entry was paused or disabled before. While `paused` is True the entry
    is not judged at all.
    """

    at: datetime
    is_resume: bool = False
    paused: bool = False


class Starts:
    """The starts of all watched entries, of which a leader passes on those that still matter."""

    def __init__(self, text: str = "") -> None:
        self._starts: dict[str, Start] = {}
        self._proven: set[str] = set()  # entries whose successes show from when they are judged
        try:
            self._starts = json.decode(text, type=dict[str, Start]) if text else {}
        except MsgspecError:
            self._starts = {}  # a newer version wrote it; counting begins anew

    def text(self) -> str:
        """Return the starts that still matter as a text, of which the next leader makes them
        again."""
        kept = [(name, one) for name, one in self._starts.items() if name not in self._proven]
        return json.encode(dict(kept[-KEPT_MAX:])).decode()

    def see(self, paused: Mapping[str, bool], now: datetime) -> None:
        """Note all entries that are watched now, each with True if it is paused or disabled.

        An entry that is seen for the first time starts now; one that is no longer paused starts
        again now.
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
        """Return the start of a watched entry, or None if it is not watched."""
        return self._starts.get(name)

    def succeeded(self, name: str, at: datetime) -> None:
        """Note a success of an entry: if it came after the start, the start matters no more."""
        start = self._starts.get(name)
        if start is not None and not start.paused and at > start.at:
            self._proven.add(name)
