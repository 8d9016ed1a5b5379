"""Find the clock changes (DST) at which a schedule runs at other times than on other days."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from beatd.entry import Schedule
from beatd.schedules.cron import Cron
from beatd.schedules.rrule import RRule
from beatd.schedules.zone import EPOCH

ClockEffect = Literal["moved", "skipped", "twice"]

_WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


class ClockNight(Struct, frozen=True):
    """One clock change and what it does to a schedule.

    `moment` is when the clock changes. `wall` is the first affected time of the schedule, on the
    wall clock. The run at that time is "moved" to the wall-clock time `then`, "skipped", or comes
    "twice".
    """

    moment: datetime
    effect: ClockEffect
    wall: datetime
    then: datetime


def clock_nights(schedule: Schedule, after: datetime, until: datetime) -> Iterator[ClockNight]:
    """Yield the clock changes later than `after`, up to `until`, that affect the schedule.

    A job that simply goes on at the same pace, such as one that runs every 5 minutes, is not
    affected.
    """
    if not isinstance(schedule, Cron | RRule):
        return
    zone = schedule.zone
    first, last = (
        bisect_right(zone.at, (moment - EPOCH).total_seconds()) for moment in (after, until)
    )
    for j in range(max(first, 1), last):
        found = _effect(schedule, zone.start[j], zone.reached[j])
        if found is not None:
            effect, wall = found
            moment = EPOCH + timedelta(seconds=zone.at[j])
            yield ClockNight(moment, effect, _clock(wall), _clock(zone.start[j]))


def _effect(schedule: Cron | RRule, start: int, reached: int) -> tuple[ClockEffect, int] | None:
    # The clock shows `reached` before the change and `start` after it, in wall-clock seconds.
    begin, end = min(start, reached), max(start, reached)
    wall = schedule.at_or_after(begin)
    if wall is None or wall >= end:
        return None
    if start > reached and schedule.gap == "run":
        return None if schedule.at_or_after(start) == start else ("moved", wall)
    if start < reached and schedule.fold != "both":
        return None
    # Equal offsets before, inside and after the stretch: the job goes on at the same pace.
    length = end - begin
    if all(
        schedule.at_or_after(place) == wall - begin + place
        for place in (begin - length, begin + length)
    ):
        return None
    return ("skipped" if start > reached else "twice"), wall


def _clock(second: int) -> datetime:
    return _WALL_EPOCH + timedelta(seconds=second)
