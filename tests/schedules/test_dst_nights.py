"""What runs in the nights when clocks change, as tables: zone, cron, asked from, the next runs."""

import pytest

from beatd.schedules import clock_change, crontab, interval, parse_moment, rrule
from beatd.schedules.clock_change import may_have_clock_changes
from tests.schedules.wall_clock import wall

# --- A gap: the clock jumps over some times ------------------------------------------------------

GAPS = [
    # Berlin jumps 02:00 -> 03:00. What would have run in between runs at 03:00, once.
    ("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00",
     ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]),
    ("Europe/Berlin", "0,15,30,45 2 * * *", "2026-03-29T01:00",
     ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"]),
    ("Europe/Berlin", "30 1,2,3 * * *", "2026-03-29T00:00",
     ["2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00"]),
    ("Europe/Berlin", "0 2,3 * * *", "2026-03-29T00:00",
     ["2026-03-29T03:00+02:00", "2026-03-30T02:00+02:00"]),
    # The last second before the clock jumps, and the one at which it does.
    ("Europe/Berlin", "30 2 * * *", "2026-03-29T01:59:59", ["2026-03-29T03:00+02:00"]),
    ("Europe/Berlin", "0 12 * * *", "2026-03-29T01:59:59", ["2026-03-29T12:00+02:00"]),
    ("Europe/Berlin", "30 2 * * *", "2026-03-29T03:00", ["2026-03-30T02:30+02:00"]),
    # With seconds too it runs at the first instant after the gap, not 45 seconds into it.
    ("Europe/Berlin", "45 30 2 * * *", "2026-03-29T00:00",
     ["2026-03-29T03:00+02:00", "2026-03-30T02:30:45+02:00"]),
    # A wildcard job has nothing to make up for.
    ("Europe/Berlin", "30 * * * *", "2026-03-29T00:45",
     ["2026-03-29T01:30+01:00", "2026-03-29T03:30+02:00"]),
    ("Europe/Berlin", "*/20 2 * * *", "2026-03-28T02:40",
     ["2026-03-30T02:00+02:00", "2026-03-30T02:20+02:00"]),
    ("Europe/Berlin", "*/30 2 29 3 *", "2026-01-01T00:00",
     ["2027-03-29T02:00+02:00", "2027-03-29T02:30+02:00"]),
    # A wildcard in the seconds makes no wildcard job.
    ("Europe/Berlin", "*/30 30 2 * * *", "2026-03-29T00:00",
     ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00", "2026-03-30T02:30:30+02:00"]),
    # H stands for a number, so H/15 is no wildcard either: 02:xx is moved to 03:00.
    ("Europe/Berlin", "H/60 2 * * *", "2026-03-29T00:00", ["2026-03-29T03:00+02:00"]),
    # New York jumps 02:00 -> 03:00 a few weeks before.
    ("America/New_York", "30 2 * * *", "2026-03-07T12:00",
     ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"]),
    # Lord Howe jumps half an hour: 02:00 -> 02:30.
    ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T12:00",
     ["2026-10-04T02:30+11:00", "2026-10-05T02:15+11:00"]),
    ("Australia/Lord_Howe", "45 2 * * *", "2026-10-03T12:00",
     ["2026-10-04T02:45+11:00", "2026-10-05T02:45+11:00"]),
    # Santiago and Beirut have no midnight that day; the day of the run is the day it was for.
    ("America/Santiago", "0 0 * * *", "2026-09-05T12:00",
     ["2026-09-06T01:00-03:00", "2026-09-07T00:00-03:00"]),
    ("America/Santiago", "30 0 * * sun", "2026-09-05T12:00",
     ["2026-09-06T01:00-03:00", "2026-09-13T00:30-03:00"]),
    ("Asia/Beirut", "0 0 * * *", "2026-03-28T12:00",
     ["2026-03-29T01:00+03:00", "2026-03-30T00:00+03:00"]),
    # Apia crossed the date line: 30 December 2011 did not take place.
    ("Pacific/Apia", "0 12 * * *", "2011-12-28T18:00",
     ["2011-12-29T12:00-10:00", "2011-12-31T00:00+14:00", "2011-12-31T12:00+14:00"]),
    ("Pacific/Apia", "0 12 30 12 *", "2011-01-01T00:00",
     ["2011-12-31T00:00+14:00", "2012-12-30T12:00+14:00"]),
    ("Pacific/Apia", "0 12 * * fri", "2011-12-28T18:00",
     ["2011-12-31T00:00+14:00", "2012-01-06T12:00+14:00"]),
    # Not summer time but another standard time: Pyongyang, 23:30 -> 00:00 of the next day.
    ("Asia/Pyongyang", "45 23 * * *", "2018-05-04T12:00",
     ["2018-05-05T00:00+09:00", "2018-05-05T23:45+09:00"]),
]  # fmt: skip

# --- A fold: the clock shows some times twice -----------------------------------------------------

FOLDS = [
    # Berlin shows 02:00 to 03:00 twice. A fixed job runs at the first.
    ("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00",
     ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]),
    ("Europe/Berlin", "0,30 2,3 * * *", "2026-10-25T00:00",
     ["2026-10-25T02:00+02:00", "2026-10-25T02:30+02:00", "2026-10-25T03:00+01:00"]),
    ("Europe/Berlin", "*/30 30 2 * * *", "2026-10-25T00:00",
     ["2026-10-25T02:30+02:00", "2026-10-25T02:30:30+02:00", "2026-10-26T02:30+01:00"]),
    # A wildcard job runs in both.
    ("Europe/Berlin", "30 * * * *", "2026-10-25T02:00",
     ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", "2026-10-25T03:30+01:00"]),
    ("Europe/Berlin", "*/30 2 * * *", "2026-10-25T00:00",
     ["2026-10-25T02:00+02:00", "2026-10-25T02:30+02:00",
      "2026-10-25T02:00+01:00", "2026-10-25T02:30+01:00"]),
    ("America/New_York", "30 1 * * *", "2026-10-31T12:00",
     ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"]),
    ("America/New_York", "0 9 * * *", "2026-10-31T12:00",
     ["2026-11-01T09:00-05:00", "2026-11-02T09:00-05:00"]),
    # Lord Howe shows 01:30 to 02:00 twice.
    ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T12:00",
     ["2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"]),
    ("Australia/Lord_Howe", "*/15 1 * * *", "2026-04-05T01:20",
     ["2026-04-05T01:30+11:00", "2026-04-05T01:45+11:00",
      "2026-04-05T01:30+10:30", "2026-04-05T01:45+10:30"]),
    # Santiago goes back from midnight into the evening before: Saturday has 25 hours.
    ("America/Santiago", "30 23 * * *", "2026-04-04T12:00",
     ["2026-04-04T23:30-03:00", "2026-04-05T23:30-04:00"]),
    ("America/Santiago", "0 0 * * *", "2026-04-04T12:00",
     ["2026-04-05T00:00-04:00", "2026-04-06T00:00-04:00"]),
    # Caracas put back its standard time by half an hour at 03:00 one night.
    ("America/Caracas", "45 2 * * *", "2007-12-08T12:00",
     ["2007-12-09T02:45-04:00", "2007-12-10T02:45-04:30"]),
]  # fmt: skip


@pytest.mark.parametrize(("tz", "text", "start", "runs"), GAPS + FOLDS)
def test_a_night_goes_as_the_table_says(tz, text, start, runs):
    assert wall(crontab(text, tz=tz), tz, start, len(runs)) == runs


RULES = [
    # dst_gap, dst_fold, cron, asked from, runs in Europe/Berlin
    ("skip", "first", "30 2 * * *", "2026-03-28T12:00", ["2026-03-30T02:30+02:00"]),
    ("skip", "last", "30 2 * * *", "2026-03-28T12:00", ["2026-03-30T02:30+02:00"]),
    ("run", "last", "30 2 * * *", "2026-03-28T12:00",
     ["2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]),
    ("run", "last", "0 10 * * *", "2026-10-23T00:00",
     ["2026-10-23T10:00+02:00", "2026-10-24T10:00+02:00", "2026-10-25T10:00+01:00"]),
    ("run", "last", "30 2 * * *", "2026-10-24T12:00",
     ["2026-10-25T02:30+01:00", "2026-10-26T02:30+01:00"]),
    ("run", "both", "30 2 * * *", "2026-10-24T12:00",
     ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", "2026-10-26T02:30+01:00"]),
    # The rules are for fixed jobs; a wildcard job follows elapsed time whatever they say.
    ("run", "last", "30 * * * *", "2026-10-25T02:00",
     ["2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("gap", "fold", "text", "start", "runs"), RULES)
def test_an_entry_may_choose_its_own_rule(gap, fold, text, start, runs):
    schedule = crontab(text, tz="Europe/Berlin", dst_gap=gap, dst_fold=fold)
    assert wall(schedule, "Europe/Berlin", start, len(runs)) == runs


def test_celerys_mapping_follows_the_same_rule():
    fixed = crontab(minute=30, hour=2, tz="Europe/Berlin")
    assert fixed == crontab("30 2 * * *", tz="Europe/Berlin")
    left_out = crontab(minute=30, tz="Europe/Berlin")
    assert left_out == crontab("30 * * * *", tz="Europe/Berlin")
    listed = crontab(minute=30, hour=list(range(24)), tz="Europe/Berlin")
    assert listed != left_out


def test_a_recurrence_rule_is_a_fixed_job():
    daily = rrule("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", tz="Europe/Berlin")
    assert wall(daily, "Europe/Berlin", "2026-03-28T12:00", 2) == [
        "2026-03-29T03:00+02:00",
        "2026-03-30T02:30+02:00",
    ]
    assert wall(daily, "Europe/Berlin", "2026-10-24T12:00", 2) == [
        "2026-10-25T02:30+02:00",
        "2026-10-26T02:30+01:00",
    ]


EDGES = [
    ("30 2 * * *", "2026-03-29T03:00", "moved: 02:30 does not exist"),
    ("45 30 2 * * *", "2026-03-29T03:00", "moved: 02:30:45 does not exist"),
    ("0 2,3 * * *", "2026-03-29T03:00", None),
    ("0 * * * *", "2026-03-29T03:00", None),
    ("30 2 * * *", "2026-03-28T02:30", None),
    ("30 2 * * *", "2026-10-25T02:30", "first of two"),
    ("30 * * * *", "2026-10-25T02:30+01:00", "second of two"),
    ("0 3 * * *", "2026-10-25T03:00", None),
    ("0 2 * * *", "2026-10-25T02:00", "first of two"),
    ("0 3 * * *", "2026-03-29T03:00", None),
    ("0 12 * * *", "2500-01-01T12:00", None),  # when the clock changes no more
    # at another moment than that of a run, there is nothing to tell
    ("30 2 * * *", "2026-03-29T04:00", None),
    ("0 12 * * *", "2026-03-29T03:00", None),
    ("0 0 12 1 1 * 2020", "2026-03-29T03:00", None),
]


@pytest.mark.parametrize(("text", "moment", "said"), EDGES)
def test_what_the_night_did_to_a_run_is_told(text, moment, said):
    schedule = crontab(text, tz="Europe/Berlin")
    assert clock_change(schedule, parse_moment(moment, "Europe/Berlin")) == said


def test_a_run_that_is_skipped_is_not_moved():
    schedule = crontab("30 2 * * *", tz="Europe/Berlin", dst_gap="skip")
    assert clock_change(schedule, parse_moment("2026-03-29T03:00", "Europe/Berlin")) is None


@pytest.mark.parametrize(
    ("schedule", "may"),
    [
        (crontab("30 2 * * *", tz="Europe/Berlin"), True),
        (rrule("FREQ=DAILY", tz="Europe/Berlin"), True),
        (crontab("30 2 * * *", tz="Africa/Abidjan"), True),  # its clock changed once
        (crontab("30 2 * * *"), False),
        (rrule("FREQ=DAILY"), False),
        (interval("1h"), False),
    ],
)
def test_only_a_clock_that_changes_is_asked_about(schedule, may):
    assert may_have_clock_changes(schedule) is may


def test_a_run_moved_to_another_day_is_told_with_its_date():
    schedule = crontab("0 12 * * *", tz="Pacific/Apia")
    moved = parse_moment("2011-12-31T00:00", "Pacific/Apia")
    assert clock_change(schedule, moved) == "moved: 2011-12-30 12:00 does not exist"
