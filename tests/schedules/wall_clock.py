"""How the tests read a table: moments as ISO text on the wall clock of a zone."""

from datetime import UTC, datetime
from itertools import islice

import pytz

from beatd.entry import Schedule
from beatd.schedules import parse_moment


def runs_after(schedule: Schedule, moment: datetime):
    """The fire times after a moment, one by one."""
    while (moment := schedule.next_after(moment)) is not None:
        yield moment


def wall(schedule: Schedule, tz: str, start: str, count: int) -> list[str]:
    """The next runs as 2026-03-29T03:00+02:00, asked from a time on the same wall clock."""
    zone = pytz.timezone(tz)
    runs = islice(runs_after(schedule, parse_moment(start, tz)), count)
    return [
        run.astimezone(zone).isoformat(
            timespec="auto" if run.second or run.microsecond else "minutes"
        )
        for run in runs
    ]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
