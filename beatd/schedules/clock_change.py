"""Describe how a clock change (DST) affects one run."""

from datetime import datetime, timedelta

from beatd.entry import Schedule
from beatd.schedules.cron import Cron
from beatd.schedules.dst import second_after
from beatd.schedules.rrule import RRule

_WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


def may_have_clock_changes(schedule: Schedule) -> bool:
    """Return True if `clock_change` can return a note for some run of the schedule."""
    return isinstance(schedule, Cron | RRule) and len(schedule.zone.at) > 1


def clock_change(schedule: Schedule, moment: datetime) -> str | None:
    """Return a note if a clock change (DST) affects the run at `moment`, else None.

    The note begins with "moved" if the clock skips the time of the run. It is "first of two" or
    "second of two" if the clock shows that time twice.
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
    # Both arguments are seconds since 1970-01-01 00:00 on the wall clock.
    clock = _WALL_EPOCH + timedelta(seconds=missed)
    text = f"{clock:%H:%M:%S}" if clock.second else f"{clock:%H:%M}"
    return text if missed // 86400 == shown // 86400 else f"{clock:%Y-%m-%d} {text}"
