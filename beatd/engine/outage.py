"""A server that is away: told once when it begins and once when it ends, and waited for."""

from collections.abc import Callable
from datetime import timedelta

from beatd.clock import Clock
from beatd.events import Event, Observer

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5  # between two tries


class Outage:
    """Of one server, which is taken to be there until it is found away."""

    def __init__(
        self,
        away: Callable[[str], Event],
        back: Callable[[float], Event],
        *,
        clock: Clock,
        tell: Observer,
    ) -> None:
        self._away, self._back, self._clock, self._tell = away, back, clock, tell
        self._since: float | None = None
        self._pause = 0.0
        self._reason = ""

    @property
    def reason(self) -> str:
        """The newest cause; nothing while the server is there."""
        return "" if self._since is None else self._reason

    @property
    def over(self) -> bool:
        return self._since is None

    @property
    def lasts(self) -> float:
        """Seconds; nothing while the server is there."""
        since = self._since  # once: another thread may ask while it ends
        return 0.0 if since is None else self._clock.elapsed() - since

    def begin(self, reason: str, *, since: float | None = None) -> None:
        self._reason = reason
        if self._since is None:
            self._since = self._clock.elapsed() if since is None else since
            self._tell(self._away(reason))

    def end(self) -> None:
        if self._since is not None:
            self._tell(self._back(self.lasts))
            self._since, self._pause = None, 0.0

    def back_off(self) -> timedelta:
        """Longer each time, and never long: whoever waits for the server must not notice it."""
        self._pause = min(LONGEST_PAUSE_S, self._pause * 2 or SHORTEST_PAUSE_S)
        return timedelta(seconds=self._pause)
