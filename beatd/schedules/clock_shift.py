"""Find the next change of a zone's clock (DST)."""

from bisect import bisect_right
from datetime import datetime, timedelta

from msgspec import Struct

from beatd.schedules.zone import EPOCH, offsets, zone, zone_name


class ClockShift(Struct, frozen=True):
    """One change of a zone's clock, such as one hour forward at the start of summer time.

    `moment` is when it happens. `seconds` is how far the clock jumps, negative for back. `shows`
    and `shows_then` are the clock's times just before and just after, without a zone.
    """

    moment: datetime
    seconds: int
    shows: datetime
    shows_then: datetime


def next_clock_shift(tz: str, now: datetime, within: timedelta) -> ClockShift | None:
    """Return the first change of the zone's clock after `now`, or None if none is `within`."""
    found = offsets(zone_name(tz))
    index = bisect_right(found.at, (now - EPOCH).total_seconds())
    if index == len(found.at):
        return None
    moment = EPOCH + timedelta(seconds=found.at[index])
    if moment > now + within:
        return None
    seconds = found.off[index] - found.off[index - 1]
    then = moment.astimezone(zone(tz)).replace(tzinfo=None)
    return ClockShift(moment, seconds, then - timedelta(seconds=seconds), then)
