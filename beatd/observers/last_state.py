"""An observer that stores the last state of a daemon, for its status and health checks."""

import threading
from collections import Counter, deque
from datetime import datetime

from beatd import events

LATENESS_OF_LAST_RUNS = 10_000


class LastState:
    """Observer that stores what the daemon's newest events reported.

    Any thread may read its attributes. `overdue`, `went_back` and `store_away` are messages for
    people, or "". `stepped` is the last jump of the clock in seconds, or None.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._late: deque[float] = deque(maxlen=LATENESS_OF_LAST_RUNS)
        self._counts: Counter[str] = Counter()
        self.ticked_at: datetime | None = None
        self.overdue: str = ""
        self.went_back: str = ""
        self.store_away: str = ""
        self.stepped: float | None = None

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Ticked():
                self.ticked_at = event.at
            case events.Sent():
                with self._guard:
                    self._counts.update(result.outcome.sent for result in event.results)
                    self._late.extend(event.late)
            case events.Skipped():
                with self._guard:
                    self._counts["skipped"] += sum(skip.count for _, skip in event.skips)
            case events.Overdue():
                self.overdue = f"{event.name} by {event.seconds:.0f} s"
            case events.LeadWon() | events.OnTime():
                self.overdue = ""
            case events.StoreAway():
                self.store_away = event.reason
            case events.StoreBack():
                self.store_away = ""
            case events.ClockStepped():
                self.stepped = event.seconds
            case events.WentBack():
                self.went_back = event.reason
            case _:
                pass

    def run_counts(self) -> dict[str, int]:
        """Return the number of runs by outcome, such as "confirmed", and of "skipped" runs."""
        with self._guard:
            return dict(self._counts)

    def lateness(self) -> dict[str, float | None]:
        """Return the lateness of the last ten thousand published runs: "p50", "p99" and "max".

        Each value is in seconds, or None before the first run.
        """
        with self._guard:
            late = sorted(self._late)
        if not late:
            return {"p50": None, "p99": None, "max": None}

        def percentile(part: float) -> float:
            return round(late[min(len(late) - 1, int(len(late) * part))], 6)

        return {"p50": percentile(0.5), "p99": percentile(0.99), "max": round(late[-1], 6)}
