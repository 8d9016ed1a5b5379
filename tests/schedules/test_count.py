"""The end of a rule with COUNT, which is counted once, in a limited number of steps."""

from datetime import datetime

import pytest
from dateutil import rrule as dateutil

from beatd.errors import ScheduleError
from beatd.schedules.recurrence import Recurrence
from beatd.schedules.steps import Steps

START = datetime(2000, 1, 1)  # noqa: DTZ001
ENOUGH = 100_000


def counted(frequency: int, count: int, steps: Steps) -> Recurrence:
    return Recurrence.of(frequency, 1, START, {}, None, count, steps)


ENDS = [
    (dateutil.YEARLY, 1, datetime(2000, 1, 1)),  # noqa: DTZ001
    (dateutil.YEARLY, 101, datetime(2100, 1, 1)),  # noqa: DTZ001
    (dateutil.DAILY, 32, datetime(2000, 2, 1)),  # noqa: DTZ001
    (dateutil.SECONDLY, 3, datetime(2000, 1, 1, 0, 0, 2)),  # noqa: DTZ001
    (dateutil.YEARLY, 8000, datetime(9999, 1, 1)),  # noqa: DTZ001
    (dateutil.YEARLY, 8001, None),  # the calendar ends before
]


@pytest.mark.parametrize(("frequency", "count", "end"), ENDS)
def test_a_count_is_replaced_by_the_last_time(
    frequency: int, count: int, end: datetime | None
) -> None:
    assert counted(frequency, count, Steps(ENOUGH)).until == end


def test_the_last_second_of_the_calendar_is_counted() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001
    for count, until in [(1, last), (2, None)]:
        rule = Recurrence.of(dateutil.SECONDLY, 1, last, {}, None, count, Steps(ENOUGH))
        assert rule.until == until


def steps_of(count: int) -> int:
    steps = Steps(ENOUGH)
    counted(dateutil.YEARLY, count, steps)
    return ENOUGH - steps.left


def test_a_count_that_takes_too_many_steps_has_no_end_after_a_century_and_is_refused_before() -> (
    None
):
    # The 101st run is that of 2100, a century after the start.
    assert counted(dateutil.YEARLY, 8000, Steps(steps_of(101))).until is None
    with pytest.raises(ScheduleError, match=r"^its COUNT=8000 is not counted within the bound"):
        counted(dateutil.YEARLY, 8000, Steps(steps_of(101) - 1))
