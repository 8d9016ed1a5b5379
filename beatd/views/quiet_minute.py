"""Find the minute of the hour in which the fewest runs are planned."""

from datetime import timedelta

from msgspec import Struct

from beatd.schedules import zone
from beatd.views.planned_ahead import PlannedAhead

MINUTES = 60


class QuietMinute(Struct, frozen=True):
    """The minute of the hour, from 0 to 59, with the fewest planned runs, and the one with the
    most."""

    minute: int
    runs: int
    busiest: int
    busiest_runs: int


def quiet_minute(ahead: PlannedAhead, tz: str) -> QuietMinute | None:
    """Return the minute of the hour with the fewest planned runs, by the clock of the zone `tz`.

    If several have equally few, the runs in the minutes around them decide. Return None if all
    minutes have equally many. `ahead` must have intervals of one minute.
    """
    home, counts = zone(tz), [0] * MINUTES
    for place, runs in enumerate(ahead.counts):
        moment = ahead.start + timedelta(minutes=place)
        counts[moment.astimezone(home).minute] += runs
    if min(counts) == max(counts):
        return None

    def noise(minute: int) -> tuple[int, int]:
        around = counts[minute - 1] + counts[(minute + 1) % MINUTES]
        return counts[minute], around

    quietest = min(range(MINUTES), key=noise)
    busiest = max(range(MINUTES), key=lambda minute: counts[minute])
    return QuietMinute(quietest, counts[quietest], busiest, counts[busiest])
