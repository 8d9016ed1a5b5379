"""The last state, remembered: what `status`, the health checks and the standbys are shown."""

import threading
from collections import Counter, deque
from datetime import datetime

from beatd import events
from beatd.observers.log import by_hand, lateness

REMEMBERED = 10_000


class Board:
    """Written by the engine's threads, read by any."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._late: deque[float] = deque(maxlen=REMEMBERED)
        self.counts: Counter[str] = Counter()
        self.ticked_at: datetime | None = None
        self.tick_due: datetime | None = None
        self.overdue: str = ""
        self.went_back: str = ""
        self.stepped: float | None = None

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Ticked():
                self.ticked_at, self.tick_due = event.at, event.until
            case events.Sent():
                with self._guard:
                    for result in event.results:
                        self.counts[result.outcome.sent] += 1
                        if result.outcome.sent == "confirmed" and not by_hand(result):
                            self._late.append(lateness(result))
            case events.Skipped():
                with self._guard:
                    self.counts["skipped"] += event.skip.count
            case events.Overdue():
                self.overdue = f"{event.name} by {event.seconds:.0f} s"
            case events.LeadWon() | events.OnTime():
                self.overdue = ""
            case events.ClockStepped():
                self.stepped = event.seconds
            case events.WentBack():
                self.went_back = event.reason
            case _:
                pass

    def lateness(self) -> dict[str, float | None]:
        """Percentiles over the last ten thousand runs, in seconds."""
        with self._guard:
            late = sorted(self._late)
        if not late:
            return {"p50": None, "p99": None, "max": None}

        def at(part: float) -> float:
            return round(late[min(len(late) - 1, int(len(late) * part))], 6)

        return {"p50": at(0.5), "p99": at(0.99), "max": round(late[-1], 6)}
