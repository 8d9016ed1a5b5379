"""beatd beside a walker that looks at every minute: any cron, any zone, any moment."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
import pytz
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beatd.schedules import crontab
from tests.schedules.oracle import minute_walk
from tests.schedules.wall_clock import runs_after

#: Where clocks do uncommon things, beside all the others.
ODD = (
    "Africa/Casablanca",
    "America/Caracas",
    "America/Havana",
    "America/New_York",
    "America/Santiago",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "UTC",
)
WINDOW = timedelta(days=2)
SMALL_HOURS = [(frozenset([hour]), str(hour)) for hour in range(4)]


@dataclass(frozen=True)
class Job:
    """A cron text and, apart from it, the values it was made of."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    weekdays: frozenset[int]
    text: str

    def matches(self, local: datetime) -> bool:
        day, weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        words = self.text.split()
        either = words[2][0] != "*" and words[4][0] != "*"
        return (
            local.minute in self.minutes
            and local.hour in self.hours
            and ((day or weekday) if either else (day and weekday))
        )

    @property
    def wildcard(self) -> bool:
        return self.text.split()[0][0] == "*" or self.text.split()[1][0] == "*"


@st.composite
def fields(draw, low, high):
    match draw(st.sampled_from(["any", "step", "list", "range"])):
        case "any":
            return frozenset(range(low, high + 1)), "*"
        case "step":
            step = draw(st.integers(1, high))
            return frozenset(range(low, high + 1, step)), f"*/{step}"
        case "list":
            values = draw(st.lists(st.integers(low, high), min_size=1, max_size=4))
            return frozenset(values), ",".join(map(str, values))
    first = draw(st.integers(low, high))
    last = draw(st.integers(first, high))
    step = draw(st.integers(1, 20))
    return frozenset(range(first, last + 1, step)), f"{first}-{last}/{step}"


@st.composite
def jobs(draw):
    minutes, minute_text = draw(fields(0, 59))
    # Small hours often, for that is when clocks are changed.
    hours, hour_text = draw(st.one_of(fields(0, 23), st.sampled_from(SMALL_HOURS)))
    days, day_text = draw(st.one_of(st.just((frozenset(range(1, 32)), "*")), fields(1, 31)))
    weekdays, weekday_text = draw(st.one_of(st.just((frozenset(range(7)), "*")), fields(0, 6)))
    text = f"{minute_text} {hour_text} {day_text} * {weekday_text}"
    return Job(minutes, hours, days, weekdays, text)


@st.composite
def nights(draw):
    """A zone and a moment, most often near a change of its clock."""
    tz = draw(st.one_of(st.sampled_from(ODD), st.sampled_from(pytz.common_timezones)))
    changes = [
        time.replace(tzinfo=UTC)
        for time in getattr(pytz.timezone(tz), "_utc_transition_times", [])
        if time.year >= 1975
    ]
    if changes:
        near = draw(st.sampled_from(changes))
        return tz, near + timedelta(microseconds=draw(st.integers(-(10**11), 10**11)))
    return tz, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=draw(st.integers(0, 10**8)))


QUESTIONS = given(
    jobs(),
    nights(),
    st.sampled_from(["run", "skip"]),
    st.sampled_from(["first", "last", "both"]),
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
)
CALM = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@QUESTIONS
@settings(max_examples=60, **CALM)
def test_no_run_is_skipped_and_none_is_made_up(job, night, gap, fold, parts):
    agree(job, night, gap, fold, parts)


@pytest.mark.long
@pytest.mark.timeout(600)
@QUESTIONS
@settings(max_examples=1500, **CALM)
def test_no_run_is_skipped_and_none_is_made_up_asked_many_times(job, night, gap, fold, parts):
    agree(job, night, gap, fold, parts)


def agree(job, night, gap, fold, parts):
    """The walker's runs, whole and from any moment in between."""
    tz, begin = night
    schedule = crontab(job.text, tz=tz, dst_gap=gap, dst_fold=fold)
    expected = minute_walk(
        job.matches, tz, begin, begin + WINDOW, wildcard=job.wildcard, gap=gap, fold=fold
    )
    found = list(takewhile(lambda run: run <= begin + WINDOW, runs_after(schedule, begin)))
    assert found == expected
    for part in parts:
        asked = begin + part * WINDOW
        later = [run for run in expected if run > asked]
        answer = schedule.next_after(asked)
        assert answer is None or answer > asked
        if later:
            assert answer == later[0]
        elif answer is not None:
            assert answer > begin + WINDOW
