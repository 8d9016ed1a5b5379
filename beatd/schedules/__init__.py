"""Make schedules of every kind, compute their runs, and describe them in words.

A schedule is an immutable value. Two schedules are equal when they run at the same moments.
"""

from beatd.schedules.at import at
from beatd.schedules.clock_change import clock_change, may_have_clock_changes
from beatd.schedules.cron import cron, crontab
from beatd.schedules.duration import format_duration, parse_duration
from beatd.schedules.from_plain import schedule_from
from beatd.schedules.interval import interval
from beatd.schedules.moment import parse_moment
from beatd.schedules.rrule import rrule
from beatd.schedules.solar import solar
from beatd.schedules.words import describe
from beatd.schedules.zone import zone

__all__ = [  # noqa: RUF022 - grouped
    # kinds
    "at",
    "cron",
    "crontab",
    "interval",
    "rrule",
    "solar",
    # plain data
    "format_duration",
    "parse_duration",
    "parse_moment",
    "schedule_from",
    "zone",
    # words
    "describe",
    "clock_change",
    "may_have_clock_changes",
]
