"""Remember from which moment each entry is judged for alerts, such as the end of a pause."""

from collections.abc import Collection, Mapping
from datetime import datetime

from msgspec import MsgspecError, Struct, json

from beatd.entry import Moment

KEPT_MAX = 1000  # in the store; more are known to this leader only


class Start(Struct, frozen=True, omit_defaults=True):
    """The moment from which an entry is judged for alerts.

    `is_resume` is True if the entry was paused or disabled before that moment. While `paused` is
    True the entry is not judged at all.
    """

    at: Moment
    is_resume: bool = False
    paused: bool = False


class Starts:
    """Remembers from which moment each entry is judged by the limits in its `alert`.

    The argument `text` is the result of the method `text` of an earlier leader. If it is empty or
    unreadable, no moments are known.
    """

    def __init__(self, text: str = "") -> None:
        self._starts: dict[str, Start] = {}
        self._proven: set[str] = set()  # entries whose successes show from when they are judged
        try:
            self._starts = json.decode(text, type=dict[str, Start]) if text else {}
        except (MsgspecError, UnicodeError, RecursionError):
            self._starts = {}  # a newer version wrote it; counting begins anew

    def text(self) -> str:
        """Return the moments that the next leader needs, at most KEPT_MAX of them, as JSON."""
        kept = [(name, one) for name, one in self._starts.items() if name not in self._proven]
        return json.encode(dict(kept[-KEPT_MAX:])).decode()

    def names(self) -> list[str]:
        """Return the names of the entries of which a moment is known."""
        return list(self._starts)

    def see(
        self, paused: Mapping[str, bool], now: datetime, kept: Collection[str] = frozenset()
    ) -> None:
        """Update the moments from which the entries with an `alert` are judged.

        `paused` has each of these entries; True means paused or disabled. New and resumed entries
        are judged from `now`. Entries that are not in `paused` are deleted, except those in `kept`.
        """
        for name, is_paused in paused.items():
            before = self._starts.get(name)
            if is_paused and (before is None or not before.paused):
                self._begin(name, Start(now, paused=True))
            elif not is_paused and before is None:
                self._begin(name, Start(now))
            elif not is_paused and before is not None and before.paused:
                self._begin(name, Start(now, is_resume=True))
        for name in [one for one in self._starts if one not in paused and one not in kept]:
            del self._starts[name]
            self._proven.discard(name)

    def _begin(self, name: str, start: Start) -> None:
        self._starts[name] = start
        self._proven.discard(name)

    def get(self, name: str) -> Start | None:
        """Return the moment from which an entry is judged, or None if the entry has no `alert`."""
        return self._starts.get(name)

    def succeeded(self, name: str, at: datetime) -> None:
        """Record that a run of the entry succeeded at `at`.

        If that is after the moment from which the entry is judged, this moment no longer matters,
        and `text` leaves the entry out.
        """
        start = self._starts.get(name)
        if start is not None and not start.paused and at > start.at:
            self._proven.add(name)
