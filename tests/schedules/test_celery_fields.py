"""Celery's mapping beside celery.schedules.crontab itself."""

from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery
from celery import schedules as celery
from hypothesis import given, settings
from hypothesis import strategies as st

from beatd.errors import ScheduleError
from beatd.schedules import crontab, schedule_from

KEYS = {
    "minute": (60, 0),
    "hour": (24, 0),
    "day_of_week": (7, 0),
    "day_of_month": (31, 1),
    "month_of_year": (12, 1),
}
APP = Celery("referee", set_as_current=False)
MASKS = {"minute": "minutes", "hour": "hours"}


def celerys(**fields):
    """Celery's own schedule, on an application of its own: another test's has another zone."""
    return celery.crontab(**fields, app=APP, nowfun=lambda: datetime(2026, 1, 1, tzinfo=UTC))


def celerys_next(schedule, moment):
    last, delta, _ = schedule.remaining_delta(moment, tz=UTC)
    return last + delta


def parts(size, low):
    high = size + low - 1
    number = st.integers(low, high).map(str)
    names = st.sampled_from(["mon", "SUN", "friday", "Jan", "dec"])
    step = st.integers(1, size).map(lambda n: f"*/{n}")
    ranged = st.tuples(number, number).map("-".join)
    stepped = st.tuples(ranged, st.integers(1, 9)).map(lambda part: f"{part[0]}/{part[1]}")
    return st.one_of(number, st.just("*"), step, ranged, stepped, names if size < 13 else number)


def values(key):
    size, low = KEYS[key]
    numbers = st.integers(low, size + low - 1)
    text = st.lists(parts(size, low), min_size=1, max_size=3).map(",".join)
    return st.one_of(text, numbers, st.sets(numbers, min_size=1), st.lists(numbers, min_size=1))


@given(
    st.fixed_dictionaries({}, optional={key: values(key) for key in KEYS}),
    st.datetimes(datetime(2024, 1, 1), datetime(2034, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
@settings(max_examples=400, deadline=None, database=None)
def test_any_mapping_runs_when_celery_runs_it(fields, moment):
    try:
        theirs = celerys(**fields)
    except ValueError:
        with pytest.raises(ScheduleError):
            crontab(**fields)
        return
    ours = crontab(**fields)
    for _ in range(3):
        try:
            expected = celerys_next(theirs, moment)
        except RuntimeError:
            return  # celery gives up after some years of months
        assert ours.next_after(moment) == expected
        moment = expected + timedelta(seconds=17)


@given(st.sampled_from(list(KEYS)), st.text("0123456789*/-, monfrijadecLWH#?_+", max_size=9))
@settings(max_examples=1500, deadline=None, database=None)
def test_any_text_is_accepted_and_refused_as_celery_does(key, text):
    size, low = KEYS[key]
    try:
        theirs = celery.crontab._expand_cronspec(text, size, low)
    except (ValueError, celery.ParseException):
        theirs = None
    if theirs is None or key not in MASKS:
        if theirs is None:
            with pytest.raises(ScheduleError):
                crontab(**{key: text})
        return
    mask = getattr(crontab(**{key: text}).fields, MASKS[key])
    assert {bit for bit in range(60) if mask >> bit & 1} == theirs


ODD = [
    ("minute", "*/70", {0}),
    ("minute", "5-50/10", {5, 15, 25, 35, 45}),
    ("minute", "50-10/5", {50, 55, 0, 5, 10}),
    ("hour", "22-3", {22, 23, 0, 1, 2, 3}),
    ("minute", "1-2-3", {1, 2}),
    ("minute", "0-59/15/2", {0, 15, 30, 45}),
    ("minute", "5, 6", {5, 6}),
    ("minute", "05", {5}),
    ("minute", "jan", {1}),
    ("minute", "decade", {12}),
    ("hour", "monkey", {1}),
    ("hour", "mon/2", {1}),
    ("minute", range(0, 60, 20), {0, 20, 40}),
    ("minute", (5, 7), {5, 7}),
    ("minute", {5, 7}, {5, 7}),
    ("minute", frozenset({5}), {5}),
]


@pytest.mark.parametrize(("key", "value", "expected"), ODD)
def test_an_oddity_of_celery_is_kept(key, value, expected):
    mask = getattr(crontab(**{key: value}).fields, MASKS[key])
    assert {bit for bit in range(60) if mask >> bit & 1} == expected


REFUSED = [
    "5/10",
    "7/x",
    "L",
    "15W",
    "1#2",
    "?",
    "H",
    "*-5",
    "5-",
    "",
    "*/",
    "*/0",
    ",",
    "-5",
    "99",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_celery_refuses_is_refused(text):
    with pytest.raises((ValueError, celery.ParseException)):
        celerys(day_of_week=text)
    with pytest.raises(ScheduleError):
        crontab(day_of_week=text)


def test_both_days_must_match_as_in_celery_and_unlike_a_cron_text():
    friday_13th = crontab(minute=0, hour=0, day_of_month=13, day_of_week="fri")
    assert (
        friday_13th.next_after(datetime(2026, 3, 14, tzinfo=UTC)).isoformat()[:10] == "2026-11-13"
    )
    either = crontab("0 0 13 * fri")
    assert either.next_after(datetime(2026, 3, 14, tzinfo=UTC)).isoformat()[:10] == "2026-03-20"


def test_a_mapping_keeps_how_it_was_written():
    fields = {"minute": 0, "hour": "*/3", "day_of_week": [1, 5]}
    schedule = schedule_from({"crontab": fields})
    assert schedule.plain() == {"crontab": fields}
    assert crontab(day_of_week={5, 1}).plain() == {"crontab": {"day_of_week": [1, 5]}}
