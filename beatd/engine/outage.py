"""Track whether a server is away, and emit an event when an outage begins or ends."""

from collections.abc import Callable
from datetime import timedelta

from beatd.clock import Clock
from beatd.events import Event, Observer

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5  # between two tries


class Outage:
    """Tracks the outage of one server; `away` and `back` make the events of its start and end."""

    def __init__(
        self,
        away: Callable[[str], Event],
        back: Callable[[float], Event],
        *,
        clock: Clock,
        emit: Observer,
    ) -> None:
        self._away, self._back, self._clock, self._emit = away, back, clock, emit
        self._since: float | None = None
        self._pause = 0.0
        self._reason = ""

    @property
    def reason(self) -> str:
        """The latest reason why the server is away, or "" if it is not."""
        return "" if self._since is None else self._reason

    @property
    def over(self) -> bool:
        """True if no outage is known, so that the server can be used."""
        return self._since is None

    @property
    def lasts(self) -> float:
        """The seconds since the outage began, or 0 without an outage."""
        since = self._since  # once: another thread may ask while it ends
        return 0.0 if since is None else self._clock.elapsed() - since

    def begin(self, reason: str, *, since: float | None = None) -> None:
        """Begin an outage and emit its event, or replace the reason of the present outage.

        `since` is the start of the outage by the monotonic clock `Clock.elapsed`; None means now.
        """
        self._reason = reason
        if self._since is None:
            self._since = self._clock.elapsed() if since is None else since
            self._emit(self._away(reason))

    def end(self) -> None:
        """End the outage and emit its event; do nothing without an outage."""
        if self._since is not None:
            self._emit(self._back(self.lasts))
            self._since, self._pause = None, 0.0

    def back_off(self) -> timedelta:
        """Return the pause before the next try; it doubles from 0.05 to 0.5 s during an outage."""
        self._pause = min(LONGEST_PAUSE_S, self._pause * 2 or SHORTEST_PAUSE_S)
        return timedelta(seconds=self._pause)
