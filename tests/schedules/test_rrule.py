"""Recurrence rules: tables, and dateutil itself walked from the beginning."""

from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from beatd.errors import ScheduleError
from beatd.schedules import parse_moment, rrule
from tests.schedules.wall_clock import wall

RULES = [
    # without DTSTART a rule begins on Thursday 1970-01-01 at 00:00 of the wall clock
    ("FREQ=DAILY", "2026-01-01T00:00", ["2026-01-02T00:00+00:00"]),
    ("FREQ=WEEKLY", "2026-01-05T00:00", ["2026-01-08T00:00+00:00"]),
    ("FREQ=DAILY;INTERVAL=10", "2026-01-01T00:00", ["2026-01-07T00:00+00:00"]),
    ("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17", "2026-01-01T00:00",
     ["2026-01-30T17:00+00:00", "2026-02-27T17:00+00:00"]),
    ("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2026-01-01T00:00", ["2028-02-29T00:00+00:00"]),
    ("FREQ=HOURLY;INTERVAL=5", "2026-01-01T00:00", ["2026-01-01T04:00+00:00"]),
    ("FREQ=HOURLY;BYMINUTE=30", "2026-01-01T09:10", ["2026-01-01T09:30+00:00"]),
    ("FREQ=HOURLY;BYMINUTE=10,30", "2026-01-01T09:15",
     ["2026-01-01T09:30+00:00", "2026-01-01T10:10+00:00"]),
    ("DTSTART:20260101T000000 FREQ=HOURLY;INTERVAL=25;BYHOUR=3", "2026-01-03T00:00",
     ["2026-01-04T03:00+00:00"]),
    ("FREQ=MINUTELY;BYSECOND=7,9", "2026-01-01T00:00:08",
     ["2026-01-01T00:00:09+00:00", "2026-01-01T00:01:07+00:00"]),
    ("FREQ=SECONDLY;BYSECOND=7", "2026-01-01T00:00",
     ["2026-01-01T00:00:07+00:00", "2026-01-01T00:01:07+00:00"]),
    ("FREQ=SECONDLY;INTERVAL=90", "2026-01-01T00:00", ["2026-01-01T00:01:30+00:00"]),
    ("FREQ=SECONDLY;BYHOUR=3;BYMONTH=2;BYMONTHDAY=29;BYDAY=FR", "2026-01-01T00:00",
     ["2036-02-29T03:00+00:00", "2036-02-29T03:00:01+00:00"]),
    # DTSTART, COUNT, UNTIL, EXDATE, RDATE
    ("DTSTART:20260110T090000\nRRULE:FREQ=DAILY;COUNT=2", "2026-01-01T00:00",
     ["2026-01-10T09:00+00:00", "2026-01-11T09:00+00:00"]),
    ("DTSTART:20260110T090000 RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20260114T090000",
     "2026-01-11T00:00", ["2026-01-12T09:00+00:00", "2026-01-14T09:00+00:00"]),
    ("DTSTART:20260110T090000 RRULE:FREQ=DAILY;INTERVAL=2;UNTIL=20260114T090000",
     "2026-01-14T00:00", ["2026-01-14T09:00+00:00"]),
    ("DTSTART:20260110T090000 RRULE:FREQ=SECONDLY;COUNT=3", "2026-01-01T00:00",
     ["2026-01-10T09:00+00:00", "2026-01-10T09:00:01+00:00", "2026-01-10T09:00:02+00:00"]),
    ("DTSTART:20260105T090000\nRRULE:FREQ=WEEKLY;BYDAY=MO\nEXDATE:20260112T090000,20260119T090000",
     "2026-01-05T09:00", ["2026-01-26T09:00+00:00"]),
    ("DTSTART:20260105T090000\nRRULE:FREQ=DAILY;BYHOUR=9,15\nEXDATE;VALUE=DATE:20260106",
     "2026-01-05T12:00", ["2026-01-05T15:00+00:00", "2026-01-07T09:00+00:00"]),
    ("DTSTART:20260101T000000 FREQ=SECONDLY EXDATE:20260101T000001", "2026-01-01T00:00",
     ["2026-01-01T00:00:02+00:00", "2026-01-01T00:00:03+00:00"]),
    # a rule that has ended leaves the others alone
    ("FREQ=DAILY;UNTIL=20260102T000000 FREQ=YEARLY", "2026-01-01T00:00",
     ["2026-01-02T00:00+00:00", "2027-01-01T00:00+00:00"]),
    ("RRULE:FREQ=YEARLY\nRDATE:20260704T120000", "2026-01-02T00:00",
     ["2026-07-04T12:00+00:00", "2027-01-01T00:00+00:00"]),
    ("RDATE:20260704T120000", "2026-01-02T00:00", ["2026-07-04T12:00+00:00"]),
    # weekdays with a number and without one add up
    ("FREQ=MONTHLY;BYDAY=WE,-1FR", "2026-01-28T00:00",
     ["2026-01-30T00:00+00:00", "2026-02-04T00:00+00:00"]),
    ("FREQ=YEARLY;BYDAY=20MO", "2026-01-01T00:00", ["2026-05-18T00:00+00:00"]),
    ("FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3,10", "2026-01-01T00:00",
     ["2026-03-29T00:00+00:00", "2026-10-25T00:00+00:00"]),
    # week 53 of 2026 reaches into 2027
    ("FREQ=YEARLY;BYWEEKNO=53;BYDAY=TH,FR", "2026-01-01T00:00",
     ["2026-12-31T00:00+00:00", "2027-01-01T00:00+00:00"]),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYHOUR=9,17", "2026-01-01T00:00",
     ["2026-01-30T17:00+00:00", "2026-02-27T17:00+00:00"]),
    ("FREQ=DAILY;BYHOUR=9,15;BYSETPOS=-1", "2026-01-01T00:00",
     ["2026-01-01T15:00+00:00", "2026-01-02T15:00+00:00"]),
    ("FREQ=HOURLY;BYMINUTE=1,2;BYSETPOS=2", "2026-01-01T00:00",
     ["2026-01-01T00:02+00:00", "2026-01-01T01:02+00:00"]),
    ("FREQ=DAILY;BYMONTHDAY=1;UNTIL=20270101T000000", "2026-12-02T00:00",
     ["2027-01-01T00:00+00:00"]),
    ("FREQ=MONTHLY;BYMONTHDAY=1,15;BYSETPOS=1;UNTIL=20260301T120000", "2026-02-15T00:00",
     ["2026-03-01T00:00+00:00"]),
    # positions reach from the first to the last day of their period
    ("FREQ=MONTHLY;BYMONTHDAY=1,31;BYSETPOS=-1", "2026-01-02T00:00",
     ["2026-01-31T00:00+00:00", "2026-02-01T00:00+00:00"]),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-1,31", "2026-01-02T00:00",
     ["2026-01-31T00:00+00:00", "2026-02-28T00:00+00:00", "2026-03-31T00:00+00:00"]),
    ("FREQ=MONTHLY;BYMONTHDAY=31;BYSETPOS=1", "2026-01-02T00:00", ["2026-01-31T00:00+00:00"]),
    # the 60th day of the year is in March, which this rule leaves out, or a 29 February
    ("DTSTART:20260201T000000 RRULE:FREQ=MONTHLY;INTERVAL=2;BYYEARDAY=60;BYSETPOS=1",
     "2026-02-01T00:00", ["2028-02-29T00:00+00:00"]),
    ("FREQ=MONTHLY;BYMONTHDAY=30,31;BYSETPOS=2", "2026-01-01T00:00",
     ["2026-01-31T00:00+00:00", "2026-03-31T00:00+00:00"]),
    ("FREQ=YEARLY;BYYEARDAY=365,366;BYSETPOS=2", "2026-01-01T00:00", ["2028-12-31T00:00+00:00"]),
    ("FREQ=MONTHLY;BYMONTHDAY=1,31;BYSETPOS=-1", "9999-12-01T12:00", ["9999-12-31T00:00+00:00"]),
    ("FREQ=WEEKLY;BYDAY=MO,WE;BYSETPOS=2", "2026-01-01T00:00", ["2026-01-07T00:00+00:00"]),
    ("RRULE:FREQ=MONTHLY\nRRULE:FREQ=MONTHLY;BYMONTHDAY=15", "2026-01-02T00:00",
     ["2026-01-15T00:00+00:00", "2026-02-01T00:00+00:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "start", "runs"), RULES)
def test_a_rule_runs_as_the_table_says(text, start, runs):
    assert wall(rrule(text), "UTC", start, len(runs)) == runs


def test_a_finished_rule_never_runs_again():
    rule = rrule("DTSTART:20260110T090000\nRRULE:FREQ=DAILY;COUNT=2")
    assert rule.next_after(parse_moment("2026-01-11T09:00")) is None


@pytest.mark.parametrize("start", ["20260101", "21050101"])
def test_a_rule_that_runs_once_and_then_hardly_ever_is_refused(start):
    # a second earlier on each day
    drifting = "FREQ=SECONDLY;INTERVAL=86399;BYHOUR=0;BYMINUTE=0;BYSECOND=0"
    with pytest.raises(ScheduleError, match="can never fire, or hardly ever"):
        rrule(f"DTSTART:{start}T000000 {drifting}")


def test_a_start_in_utc_is_carried_to_the_wall_clock():
    rule = rrule("DTSTART:20260110T080000Z\nRRULE:FREQ=DAILY", tz="Europe/Berlin")
    assert wall(rule, "Europe/Berlin", "2026-07-01T00:00", 1) == ["2026-07-01T09:00+02:00"]


def numbers(key, low, high, most=3):
    values = st.lists(st.integers(low, high).filter(bool), min_size=1, max_size=most, unique=True)
    return values.map(lambda found: f"{key}={','.join(map(str, found))}")


def optional(part):
    return st.one_of(st.just(""), part)


PARTS = st.tuples(
    st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"]),
    st.integers(1, 30).map(lambda n: f"INTERVAL={n}"),
    optional(numbers("BYMONTH", 1, 12)),
    optional(numbers("BYMONTHDAY", -31, 31)),
    optional(numbers("BYYEARDAY", -366, 366)),
    optional(numbers("BYSETPOS", -4, 4)),
    optional(st.lists(st.sampled_from(["MO", "TU", "FR", "SU"]), min_size=1, unique=True).map(
        lambda days: f"BYDAY={','.join(days)}")),
    optional(numbers("BYHOUR", 1, 23)),
    optional(numbers("BYMINUTE", 1, 59)),
    optional(st.sampled_from(["WKST=SU", "WKST=WE"])),
)  # fmt: skip


@given(
    PARTS,
    st.datetimes(datetime(2019, 1, 1), datetime(2024, 1, 1)),  # noqa: DTZ001
    st.timedeltas(timedelta(days=-100), timedelta(days=800)),
)
@settings(max_examples=60, deadline=None, database=None)
def test_dateutil_agrees_however_far_the_start_lies_back(parts, start, away):
    start = start.replace(microsecond=0)
    frequency, *rest = parts
    rule = ";".join([f"FREQ={frequency}", *filter(None, rest)])
    text = f"DTSTART:{start:%Y%m%dT%H%M%S}\nRRULE:{rule}"
    try:
        ours = rrule(text)
    except ScheduleError:
        return
    moment = start + away
    # A century at most, and no further than dateutil walks in a moment.
    theirs = rrulestr(f"{text};UNTIL={start.year + 40}0101T000000")
    expected = theirs.after(moment)
    found = ours.next_after(parse_moment(moment))
    if expected is None:
        assert found is None or found.year >= start.year + 40
    else:
        assert found == parse_moment(expected)
