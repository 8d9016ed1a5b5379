"""Gather the runs that failed, so that a burst of them makes a few log lines."""

from collections.abc import Iterable

from beatd.events import RunsFailed
from beatd.outcome import Delivery

EMITTED_EVERY_S = 1.0
SHOWN_MAX = 5  # of one event
FAILURES = frozenset({"failed", "expired", "lost"})


class FailedRuns:
    """Collects failed runs, and returns them in events that come at most once a second."""

    def __init__(self) -> None:
        self._gathered: list[Delivery] = []
        self._more = 0
        self._emitted_at = float("-inf")

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Collect those of the deliveries that failed, expired or were lost."""
        for delivery in deliveries:
            if delivery.state in FAILURES:
                if len(self._gathered) < SHOWN_MAX:
                    self._gathered.append(delivery)
                else:
                    self._more += 1

    def event_at(self, elapsed: float) -> RunsFailed | None:
        """Return the event for the collected runs, or None if there are none or it is too early.

        `elapsed` is the time of `Clock.elapsed`.
        """
        if not self._gathered or elapsed - self._emitted_at < EMITTED_EVERY_S:
            return None
        event = RunsFailed(tuple(self._gathered), self._more)
        self._gathered, self._more, self._emitted_at = [], 0, elapsed
        return event
