"""Describe how a clock change (DST) affects one run."""

from datetime import datetime, timedelta

from beatd.entry import Schedule
from beatd.schedules.cron import Cron
from beatd.schedules.dst import second_after
from beatd.schedules.rrule import RRule

_WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


def clock_change(schedule: Schedule, moment: datetime) -> str | None:
    """Return a note on how a clock change affects the run at `moment`, or None if it does not.

    The note says that the run was moved out of a gap (a time that the clock skips), or that it is
    the first or the second of two runs at a time that the clock shows twice.
    """
    if not isinstance(schedule, Cron | RRule):
        return None
    zone, second = schedule.zone, second_after(moment) - 1
    j = zone.index(second)
    local = second + zone.off[j]
    at_or_after = schedule.at_or_after
    if second == zone.at[j] and schedule.gap == "run" and zone.start[j] > zone.reached[j]:
        missed = at_or_after(zone.reached[j])
        if missed is not None and missed < zone.start[j] and at_or_after(local) != local:
            return f"moved: {_wall(missed, local)} does not exist"
    if local < zone.reached[j]:
        return "second of two"
    if j + 1 < len(zone.at) and local >= zone.start[j + 1]:
        return "first of two"
    return None


def _wall(missed: int, shown: int) -> str:
    """Format the wall-clock second `missed`, with its date if `shown` lies on another day."""
    clock = _WALL_EPOCH + timedelta(seconds=missed)
    text = f"{clock:%H:%M:%S}" if clock.second else f"{clock:%H:%M}"
    return text if missed // 86400 == shown // 86400 else f"{clock:%Y-%m-%d} {text}"
