"""Measure the time between the next moments of an entry."""

from datetime import datetime, timedelta

from beatd.entry import Entry
from beatd.errors import ScheduleError
from beatd.planning import next_moment

GAPS_COMPARED = 3


def gaps_ahead(entry: Entry, now: datetime) -> list[timedelta]:
    """Return the lengths of the next few gaps between two moments after `now`; [] if there is no
    second moment, or if the schedule cannot be computed."""
    gaps: list[timedelta] = []
    try:
        moment = next_moment(entry, now)
        while moment is not None and len(gaps) < GAPS_COMPARED:
            following = next_moment(entry, moment)
            if following is not None:
                gaps.append(following - moment)
            moment = following
    except ScheduleError:
        return []
    return gaps
