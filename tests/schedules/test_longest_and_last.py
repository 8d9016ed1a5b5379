"""The longest text, the longest length and the last moment that are allowed, and one more."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beatd.entry import Schedule
from beatd.errors import ScheduleError
from beatd.schedules import cron, crontab, interval, parse_duration, parse_moment, rrule
from beatd.schedules.steps import SearchGivenUp, Steps

MICROSECOND = timedelta(microseconds=1)
LONGEST = timedelta.max // MICROSECOND
LIMITS = [
    # reads a value, the last that is allowed, the first that is not, what is said of it
    (parse_duration, "30s".rjust(64, "0"), "30s".rjust(65, "0"), "it is 65 characters long"),
    (parse_duration, timedelta.max, f"{LONGEST + 1}us", "is too long; the most is 999999999 days"),
    (parse_moment, "2027-01-01".ljust(64), "2027-01-01".ljust(65), "is not a moment"),
    (interval, timedelta(days=36525), timedelta(days=36525) + MICROSECOND, "than a century"),
    (interval, "1ms", "0.999ms", "is too often; every: 1ms is the most"),
    (crontab, "* * * * *".ljust(1000), "* * * * *".ljust(1001), "is 1001 characters long; 1000"),
    (
        rrule,
        "DTSTART:20260101T000000\nFREQ=DAILY;COUNT=10000",
        "DTSTART:20260101T000000\nFREQ=DAILY;COUNT=10001",
        "COUNT '10001' is not a whole number from 1 to 10000",
    ),
    (
        lambda text: crontab(minute=text),
        ",".join(["5"] * 500) + "5",
        ",".join(["5"] * 501),
        "is 1001 characters long; 1000 will do",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("read", "last", "beyond", "said"), LIMITS, ids=range(len(LIMITS)))
def test_the_last_is_allowed_and_the_next_is_refused(
    read: Callable[[Any], object], last: Any, beyond: Any, said: str
) -> None:
    read(last)
    with pytest.raises(ScheduleError) as refused:
        read(beyond)
    assert said in str(refused.value)


def test_a_search_uses_as_many_steps_as_it_has() -> None:
    steps = Steps(5)
    steps.spend(2)
    for _ in range(3):
        steps.spend()
    assert steps.left == 0
    with pytest.raises(SearchGivenUp, match="not found within 20000 steps"):
        steps.spend()


LAST = "9999-12-31T23:59:59"
ENDS = [
    # schedule, asked from, the next run (UTC)
    (lambda: interval("1s", start=datetime.max.replace(tzinfo=UTC)), LAST, LAST + ".999999"),
    (lambda: cron("59 59 23 31 12 *"), "9999-12-31T23:59:58", LAST),
    (lambda: cron("0 12 31 12 *"), "9999-12-31T00:00:00", "9999-12-31T12:00:00"),
    (lambda: cron("0 0 1 1 *"), "9998-06-01T00:00:00", "9999-01-01T00:00:00"),
    (lambda: cron("0 0 1 1 *"), "9999-01-01T00:00:00", None),
    # there the year 10000 begins while it is 9999 in UTC
    (lambda: cron("0 0 1 1 *", tz="Pacific/Kiritimati"), "9999-06-01T00:00:00", None),
    (lambda: cron("0 0 * * *"), "0001-01-01T00:00:00", "0001-01-02T00:00:00"),
    (lambda: cron("0 0 * * *"), "0001-01-01T12:00:00", "0001-01-02T00:00:00"),
    # there the year 1 begins five hours later
    (lambda: cron("0 0 * * *", tz="America/New_York"), "0001-01-01T00:00:00",
     "0001-01-01T04:56:00"),
    (lambda: cron("0 0 0 1 1 * 1970"), "1960-01-01T00:00:00", "1970-01-01T00:00:00"),
    (lambda: cron("0 0 0 1 1 * 1970"), "1969-12-31T23:59:59", "1970-01-01T00:00:00"),
    (lambda: cron("0 0 0 1 1 * 1971"), "1960-01-01T00:00:00", "1971-01-01T00:00:00"),
    (lambda: cron("0 0 0 1 1 * 2099"), "2098-01-01T00:00:00", "2099-01-01T00:00:00"),
    # the last offset of a zone is followed by none
    (lambda: cron("0 12 * * *", tz="Europe/Berlin", dst_fold="last"), "2500-01-01T00:00:00",
     "2500-01-01T11:00:00"),
    (lambda: rrule("FREQ=WEEKLY;BYDAY=FR;BYSETPOS=1"), "9999-12-26T00:00:00",
     "9999-12-31T00:00:00"),
    (lambda: rrule("FREQ=WEEKLY;BYDAY=FR"), "9999-12-26T00:00:00", "9999-12-31T00:00:00"),
    (lambda: rrule("FREQ=WEEKLY;BYDAY=FR"), "9999-12-31T00:00:00", None),
    (lambda: rrule("FREQ=DAILY"), "9999-12-30T12:00:00", "9999-12-31T00:00:00"),
    (lambda: rrule("FREQ=HOURLY"), "9999-12-31T22:30:00", "9999-12-31T23:00:00"),
    (lambda: rrule("FREQ=HOURLY"), "9999-12-31T23:00:00", None),
    (lambda: rrule("FREQ=SECONDLY"), "9999-12-31T23:59:58", LAST),
]  # fmt: skip


@pytest.mark.parametrize(("make", "asked", "expected"), ENDS)
def test_the_ends_of_time_are_as_the_table_says(
    make: Callable[[], Schedule], asked: str, expected: str | None
) -> None:
    found = make().next_after(datetime.fromisoformat(asked).replace(tzinfo=UTC))
    assert (found and found.replace(tzinfo=None).isoformat()) == expected
