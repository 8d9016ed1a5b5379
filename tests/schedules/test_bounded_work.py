"""One question to a schedule takes a bounded amount of work, whatever somebody wrote into it.

Counted in steps and in calls of functions, which are the same on every machine and on a busy one.
"""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from beatd.entry import Schedule
from beatd.errors import ScheduleError
from beatd.schedules import at, cron, crontab, interval, parse_moment, rrule, solar
from beatd.schedules.solar import events_of
from beatd.schedules.steps import MAX_STEPS, SearchGivenUp, Steps
from beatd.schedules.zone import zone_name

rrules = sys.modules["beatd.schedules.rrule"]
NOW = datetime(2026, 11, 27, 18, tzinfo=UTC)
MOST_CALLS = 200_000  # of functions, of which there are a few to a step


class Counted(Steps):
    """Keeps what was taken, so that a test can look."""

    taken: list["Counted"]

    def __init__(self, most: int = MAX_STEPS) -> None:
        super().__init__(most)
        self.most = most
        self.taken.append(self)


@pytest.fixture(scope="module", autouse=True)
def steps() -> Iterator[list[Counted]]:
    Counted.taken = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rrules, "Steps", Counted)
        yield Counted.taken


def calls_of(work: Callable[[], Any]) -> int:
    """How many functions are called by it, those written in C included."""
    count = 0

    def called(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    except SearchGivenUp:
        pass
    finally:
        sys.setprofile(before)
    return count


def made(text: str) -> Schedule | None:
    try:
        return rrule(text)
    except ScheduleError:
        return None


def many(count: int) -> str:
    days = cycle(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
    rules = (
        f"RRULE:FREQ=HOURLY;INTERVAL=8761;BYMONTH={n % 12 + 1};BYMONTHDAY={n % 28 + 1};BYDAY={day}"
        for n, day in zip(range(count), days, strict=False)
    )
    return "DTSTART:20261127T180015\n" + "\n".join(rules)


def every_second() -> str:
    hours, sixty = ",".join(map(str, range(24))), ",".join(map(str, range(60)))
    return f"BYHOUR={hours};BYMINUTE={sixty};BYSECOND={sixty}"


HOSTILE = {
    "hundred rules that hardly ever meet": many(100),
    "one of them": many(1),
    "a start that fires and then nothing": many(100) + "\nRDATE:20261127T180015",
    "an interval that never meets its day": "FREQ=HOURLY;INTERVAL=168;BYDAY=MO",
    "days that never meet their interval": "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
    "seconds of a day that drift": "FREQ=SECONDLY;INTERVAL=86399;BYHOUR=3;BYMINUTE=0;BYSECOND=0",
    "seconds of a rare day": "FREQ=SECONDLY;BYHOUR=3;BYMONTH=2;BYMONTHDAY=29;BYDAY=FR",
    "seconds of no day": "FREQ=SECONDLY;BYHOUR=3;BYMONTH=2;BYMONTHDAY=30",
    "odd and even": "DTSTART:20260101T000000\nFREQ=SECONDLY;INTERVAL=2;BYMINUTE=1;BYSECOND=0,2",
    "positions that are not there": "FREQ=YEARLY;INTERVAL=3;BYSETPOS=366;BYYEARDAY=1,2",
    "positions in each week": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYSETPOS=2",
    "all seconds of a day": f"FREQ=DAILY;{every_second()}",
    "all seconds, at a position": f"FREQ=YEARLY;BYSETPOS=-366;{every_second()}",
    "a large count": "DTSTART:20200101T000000\nFREQ=MINUTELY;COUNT=10000",
    "a large count of rare days": "DTSTART:20200101T000000\nFREQ=DAILY;BYMONTHDAY=29;BYMONTH=2;"
    "COUNT=10000",
    "all left out": "DTSTART:20260101T000000\nFREQ=DAILY\nEXDATE;VALUE=DATE:"
    + ",".join(f"{NOW + timedelta(days=n):%Y%m%d}" for n in range(1000)),
    "many more times": "RDATE:"
    + ",".join(f"{NOW + timedelta(days=n):%Y%m%dT000000}" for n in range(600)),
    "the end of time": "DTSTART:99991231T235959\nFREQ=SECONDLY;INTERVAL=10000000",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("tz", ["UTC", "Europe/Berlin"])
def test_a_hostile_rule_is_refused_or_answers_within_the_bound(text: str, tz: str) -> None:
    try:
        rule = rrule(text, tz=tz)
    except ScheduleError as refusal:
        assert "\n" not in str(refusal)
        return
    for moment in (NOW, NOW + timedelta(seconds=20), datetime(1970, 1, 1, tzinfo=UTC)):
        work = calls_of(lambda moment=moment: rule.next_after(moment))
        assert work <= MOST_CALLS


def test_a_rule_that_would_be_searched_for_too_long_is_refused_with_what_to_do() -> None:
    with pytest.raises(ScheduleError, match=r"or hardly ever: .* 20000 steps .* fewer rules"):
        rrule(HOSTILE["a start that fires and then nothing"])


def test_to_refuse_a_rule_takes_no_longer_than_a_few_searches() -> None:
    for text in HOSTILE.values():
        rrules._rrule.cache_clear()
        sys.modules["beatd.schedules.rrule_text"].parse.cache_clear()
        assert calls_of(lambda text=text: made(text)) <= 12 * MOST_CALLS


def test_no_search_goes_on_beyond_its_steps(steps: list[Counted]) -> None:
    steps.clear()
    for text in HOSTILE.values():
        rrules._rrule.cache_clear()
        made(text)
    # The last thing that was counted may be a herd of days.
    assert all(one.left >= -1000 for one in steps)
    assert any(one.left < 0 for one in steps), "some are given up"


# any rule

NUMBERS = {
    "BYMONTH": (1, 12), "BYMONTHDAY": (-31, 31), "BYYEARDAY": (-366, 366), "BYWEEKNO": (-53, 53),
    "BYSETPOS": (-366, 366), "BYHOUR": (0, 23), "BYMINUTE": (0, 59), "BYSECOND": (0, 59),
}  # fmt: skip
FREQUENCIES = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]


@st.composite
def rules(draw: Any) -> str:
    parts = [f"FREQ={draw(st.sampled_from(FREQUENCIES))}"]
    parts.append(f"INTERVAL={draw(st.one_of(st.integers(1, 400), st.integers(1, 10_000_000)))}")
    for key, (low, high) in NUMBERS.items():
        if draw(st.integers(0, 3)) == 0:
            values = draw(st.lists(st.integers(low, high), min_size=1, max_size=8, unique=True))
            parts.append(f"{key}={','.join(map(str, values))}")
    if draw(st.booleans()):
        days = draw(st.lists(st.sampled_from(["MO", "WE", "SU", "-1FR", "2TU"]), min_size=1))
        parts.append(f"BYDAY={','.join(days)}")
    if draw(st.integers(0, 4)) == 0:
        parts.append(f"COUNT={draw(st.integers(1, 10_000))}")
    return "RRULE:" + ";".join(parts)


@st.composite
def texts(draw: Any) -> str:
    start = draw(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
    lines = draw(st.lists(rules(), min_size=1, max_size=4)) * draw(st.sampled_from([1, 1, 20]))
    out = draw(st.lists(st.dates(), max_size=20))
    text = f"DTSTART:{start:%Y%m%dT%H%M%S}\n" + "\n".join(lines)
    if out:
        text += "\nEXDATE;VALUE=DATE:" + ",".join(f"{day:%Y%m%d}".rjust(8, "0") for day in out)
    return text


@given(texts(), st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001
@settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_rule_answers_within_the_bound(text: str, moment: datetime) -> None:
    rule = made(text)
    if rule is not None:
        asked = parse_moment(moment)
        assert calls_of(lambda: rule.next_after(asked)) <= MOST_CALLS


# the other kinds

FAR = datetime(1970, 1, 1, tzinfo=UTC)
OTHERS: dict[str, Callable[[], Schedule]] = {
    "the last second of the last year": lambda: cron("59 59 23 31 12 * 2099"),
    "a leap day on a Friday": lambda: cron("0 0 0 29 2 fri#5 2000-2099"),
    "a leap day at the end": lambda: cron("0 0 0 29 2 * 2096"),
    "a leap day on a Friday, Celery's": lambda: crontab(
        day_of_month=29, month_of_year=2, day_of_week=5
    ),
    "a fixed time in many gaps": lambda: cron("0 0 29 2 *", tz="Africa/Casablanca"),
    "every millisecond": lambda: interval("1ms"),
    "every century": lambda: interval("36500d"),
    "once": lambda: at("9999-12-31T23:59:59"),
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_every_other_kind_answers_within_the_bound(make: Callable[[], Schedule]) -> None:
    schedule = make()
    for moment in (FAR, NOW, datetime(2098, 12, 31, tzinfo=UTC)):
        assert calls_of(lambda moment=moment: schedule.next_after(moment)) <= MOST_CALLS / 10


@pytest.mark.parametrize("lat", [90, -90, 89, -80, 67])
@pytest.mark.parametrize("event", ["sunset", "sunrise", "dawn_astronomical", "dusk_civil"])
def test_the_sun_at_a_pole_is_searched_for_on_few_days(event: str, lat: float) -> None:
    pytest.importorskip("ephem")
    schedule = solar(event, lat, 25.5)
    for month in range(1, 13):
        events_of.cache_clear()
        schedule.next_after(datetime(2026, month, 3, tzinfo=UTC))
        assert events_of.cache_info().misses <= 80


@pytest.mark.parametrize("lat", [78.2, -77.8, 66.6, 60.2, 31.2])
@pytest.mark.parametrize("event", ["sunset", "dawn_astronomical", "dawn_nautical", "dusk_civil"])
def test_no_day_with_an_event_is_passed_over(event: str, lat: float) -> None:
    pytest.importorskip("ephem")
    from beatd.schedules.solar import _in_reach

    begin = (NOW - FAR).days
    for day in islice(range(begin, begin + 800), 0, None, 3):
        if events_of(event, lat, 15.6, day):
            assert _in_reach(event, lat, day)


def test_a_wrong_zone_that_many_entries_have_is_looked_up_once() -> None:
    def name_it() -> None:
        with pytest.raises(ScheduleError, match="did you mean Europe/Berlin"):
            zone_name("Europe/Berlnii")

    first = calls_of(name_it)
    assert calls_of(name_it) < 200 < first
