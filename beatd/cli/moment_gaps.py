"""Measure the time between the next runs of an entry."""

from datetime import datetime, timedelta

from beatd.entry import Entry
from beatd.errors import ScheduleError
from beatd.planning import next_moment

GAPS_COMPARED = 3


def gaps_ahead(entry: Entry, now: datetime) -> list[timedelta]:
    """Return the gaps between the next few runs, or [] if there are fewer than two runs."""
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
