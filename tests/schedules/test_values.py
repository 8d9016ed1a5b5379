"""Schedules as values: equal when they mean the same, hashable, frozen, plain data and back."""

import pickle
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime, timedelta
from unittest.mock import ANY

import pytest
from msgspec import json

from beatd.entry import Schedule
from beatd.schedules import at, cron, crontab, interval, rrule, schedule_from, solar

NOW = datetime(2026, 11, 21, 12, 34, 56, 789, tzinfo=UTC)
BERLIN = {"tz": "Europe/Berlin"}
PLAIN = [
    {"every": "30s"},
    {"every": "1h30m"},
    {"every": 90},
    {"every": 0.5},
    {"every": {"minutes": 5}},
    {"every": "5m", "phase": "7s"},
    {"every": "5m", "spread": True},
    {"cron": "*/15 9-17 * * mon-fri"},
    {"cron": "@daily"},
    {"cron": "H H(0-7) * * *"},
    {"cron": "0 0 0 L * ? 2030"},
    {"crontab": {"minute": 0, "hour": "*/3"}},
    {"crontab": {"minute": [0, 30], "day_of_week": "mon-fri"}},
    {"crontab": {}},
    {"at": "2027-01-01T09:00:00+08:00"},
    {"at": "2027-01-01T09:00"},
    {"solar": {"event": "sunset", "lat": 31.2, "lon": 121.5}},
    {"rrule": "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17"},
    {"rrule": "DTSTART:20260101T090000\nRRULE:FREQ=DAILY;COUNT=400\nEXDATE:20261224T090000"},
]


@pytest.mark.parametrize("plain", PLAIN, ids=str)
def test_plain_data_comes_back_as_it_was(plain):
    schedule = schedule_from(plain, tz="Europe/Berlin", name="nightly")
    assert isinstance(schedule, Schedule)
    assert schedule.plain() == plain
    again = schedule_from(json.decode(json.encode(schedule.plain())), tz="Europe/Berlin",
                          name="nightly")  # fmt: skip
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert again.next_after(NOW) == schedule.next_after(NOW)


@pytest.mark.parametrize("plain", PLAIN, ids=str)
def test_a_pickle_is_the_same_value(plain):
    schedule = schedule_from(plain, tz="Europe/Berlin", name="nightly")
    again = pickle.loads(pickle.dumps(schedule))
    assert again == schedule
    assert hash(again) == hash(schedule)
    assert again.plain() == plain


@pytest.mark.parametrize("plain", PLAIN, ids=str)
def test_a_schedule_cannot_be_changed(plain):
    schedule = schedule_from(plain, tz="Europe/Berlin", name="nightly")
    for field in fields(schedule):
        with pytest.raises(FrozenInstanceError):
            setattr(schedule, field.name, None)
    schedule.plain().clear()
    assert schedule.plain() == plain


@pytest.mark.parametrize("plain", PLAIN, ids=str)
def test_an_answer_is_in_utc(plain):
    moment = schedule_from(plain, tz="Europe/Berlin", name="nightly").next_after(NOW)
    assert moment is None or moment.tzinfo is UTC


SAME = [
    (interval("60s"), interval("1m")),
    (interval(90), interval(timedelta(seconds=90))),
    (interval({"minutes": 1, "seconds": 30}), interval("1m30s")),
    (interval("5m", phase="7s"), interval("5m", start=datetime(2026, 1, 1, 0, 0, 7, tzinfo=UTC))),
    (interval("5m", phase="5m"), interval("5m")),
    (cron("@daily"), crontab(minute=0, hour=0)),
    (crontab(minute="*/30"), crontab(minute=[0, 30], hour="*")),
    (crontab(hour={1, 2}), crontab(hour=(2, 1, 1))),
    (at("2027-01-01T09:00:00+08:00"), at("2027-01-01T01:00:00Z")),
    (at("2027-01-01T09:00", tz="Asia/Shanghai"), at("2027-01-01T01:00:00.000Z")),
    (crontab("0 2 * * *", **BERLIN), crontab("0 2 * * *", tz="europe/berlin")),
    (rrule("FREQ=DAILY;BYHOUR=9"), rrule("RRULE:byhour=9;freq=daily;")),
    (rrule("FREQ=DAILY"), rrule("FREQ=DAILY;BYHOUR=0;BYMINUTE=0;INTERVAL=1")),
    (solar("sunset", 31, 121), solar("sunset", 31.0, 121.0)),
]  # fmt: skip

DIFFERENT = [
    (interval("60s"), interval("61s")),
    (interval("5m"), interval("5m", phase="7s")),
    (interval("1d"), cron("@daily")),
    (cron("0 2 * * *"), cron("0 2 * * *", **BERLIN)),
    (cron("0 2 * * *", **BERLIN), cron("0 2 * * *", **BERLIN, dst_gap="skip")),
    (cron("0 2 * * *", **BERLIN), cron("0 2 * * *", **BERLIN, dst_fold="both")),
    (cron("0 0 13 * fri"), crontab(minute=0, hour=0, day_of_month=13, day_of_week="fri")),
    (cron("0 0 * * * *"), cron("0 0 * * *")),
    (cron("0 0 0 1 1 * 2030"), cron("0 0 0 1 1 * 2031")),
    (rrule("FREQ=DAILY"), rrule("FREQ=DAILY", **BERLIN)),
    (at("2027-01-01"), at("2027-01-02")),
    (at("2027-01-01"), "2027-01-01"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_means_the_same_is_equal(one, other):
    assert one == other
    assert hash(one) == hash(other)
    assert one.next_after(NOW) == other.next_after(NOW)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_means_something_else_is_not(one, other):
    assert one != other


@pytest.mark.parametrize("one", [one for one, _ in SAME], ids=repr)
def test_another_type_may_say_whether_it_is_equal(one):
    assert one == ANY


def test_a_name_that_is_left_out_is_the_empty_one():
    assert cron("H * * * *") == cron("H * * * *", name="")
    assert crontab("H * * * *") == crontab("H * * * *", name="")


@pytest.mark.parametrize("make", [cron, rrule], ids=["cron", "rrule"])
def test_rules_for_clock_changes_do_not_matter_where_no_clock_changes(make):
    text = {cron: "0 2 * * *", rrule: "FREQ=DAILY"}[make]
    other = make(text, tz="UTC", dst_gap="run", dst_fold="last")
    assert (other.gap, other.fold) == ("skip", "both")
    assert other == make(text)


def test_the_same_text_is_the_same_object():
    assert crontab("1 2 3 * *", **BERLIN) is crontab("1 2 3 * *", **BERLIN)
    plain = {"crontab": {"minute": [1, 2]}}
    assert schedule_from(plain) is schedule_from(plain)


def test_a_name_is_part_of_the_meaning_only_where_it_is_drawn_from():
    one, other = ({"name": name} for name in ("a", "b"))
    assert schedule_from({"cron": "@daily"}, **one) is schedule_from({"cron": "@daily"}, **other)
    assert schedule_from({"cron": "H * * * *"}, **one) != schedule_from(
        {"cron": "H * * * *"}, **other
    )
    spread = {"every": "5m", "spread": True}
    assert schedule_from(spread, **one) != schedule_from(spread, **other)
