"""What is refused, and the one line that says what came and what would do."""

from datetime import UTC, date, datetime, timedelta

import pytest

from beatd.errors import ScheduleError, with_article
from beatd.schedules import (
    at,
    cron,
    crontab,
    interval,
    parse_duration,
    parse_moment,
    rrule,
    schedule_from,
    solar,
    zone,
)

CRON = [
    ("5m", "'5m' is not a cron text; for an interval write every: 5m"),
    ("every 5 minutes", "for an interval write every: 5minutes"),
    ("@every 10s", "is an interval; write every: 10s"),
    ("@every\n10s", "is an interval; write every: 10s"),
    ("@every\na\x1b[2J", "is an interval; write every: 5m"),
    ("@reboot", "'@reboot' is no moment in time"),
    ("@dayly", "did you mean @daily?"),
    ("", "it has 0 fields; write five"),
    ("* * * *", "it has 4 fields; write five"),
    ("* * * * * * * *", "it has 8 fields; write five"),
    ("0 2 * * * 2027", "a year needs seven; write '0 0 2 * * * 2027'"),
    ("61 * * * *", "61 is not a minute (0 to 59)"),
    ("* 24 * * *", "24 is not an hour (0 to 23)"),
    ("0 0 0 * *", "0 is not a day of month (1 to 31)"),
    ("0 0 * 13 *", "13 is not a month (1 to 12)"),
    ("0 0 * * 8", "8 is not a day of week (0 to 7)"),
    ("0 0 0 1 1 * 1969", "1969 is not a year (1970 to 2099)"),
    ("0 0 * * mno", "did you mean mon?"),
    ("0 22-4 * * *", "22-4 runs backward; write 22-23,0-4"),
    ("50-10/5 * * * *", "50-10 runs backward; write 50-59/5,0-10/5"),
    ("0 0 * nov-feb *", "nov-feb runs backward; write nov-dec,jan-feb"),
    ("0 0 * * fri-mon", "fri-mon runs backward; write fri-sun,mon"),
    ("0 0 * * 5-2", "5-2 runs backward; write 5-sun,mon-2"),
    ("0 0 30 2 *", "can never fire: no such day ever comes"),
    ("0 0 31 4,6,9,11 *", "can never fire"),
    ("0 0 0 29 2 * 2025", "can never fire"),
    ("*/0 * * * *", "the step of '*/0' is not a number from 1 on"),
    ("*/ * * * *", "the step of '*/' is not a number"),
    ("5/-1 * * * *", "the step of '5/-1' is not a number"),
    ("-5 * * * *", "'' is not a minute"),
    ("5- * * * *", "'' is not a minute"),
    ("1,,2 * * * *", "the minute has an empty item"),
    ("? * * * *", "? stands only alone, for a day; for any minute write *"),
    ("0 0 1,? * *", "? stands only alone"),
    ("0 0 L-3 * *", "'l-3' is not a day of month; write L, LW or 15W"),
    ("0 0 32W * *", "32 is not a day of month"),
    ("0 0 * * L", "L alone is not a day of week; write L5"),
    ("0 0 * * fri#6", "after # stands 1 to 5; for the last one write Lfri"),
    ("0 0 * * fri#", "after # stands 1 to 5"),
    ("H(1-70) * * * *", "70 is not a minute"),
    ("H(20-10) * * * *", "H(20-10) runs backward"),
    ("H( * * * *", "is not understood; write H"),
    ("HH * * * *", "is not understood; write H"),
    ("٣ * * * *", "'٣' is not a minute"),
    ("1_0 * * * *", "'1_0' is not a minute"),
    ("+5 * * * *", "'+5' is not a minute"),
    ("1.5 * * * *", "'1.5' is not a minute"),
    ("\0 * * * *", "'\\x00' is not a minute"),
    ("9" * 10_000 + " * * * *", "is 10008 characters long"),
    ("9" * 900 + " * * * *", "is not a minute"),
    ("*/" + "0" * 900 + " * * * *", "is not a number from 1 on"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), CRON)
def test_a_cron_text_is_refused_with_what_would_do(text, said):
    check(lambda: crontab(text), said)


OTHERS = [
    (lambda: crontab("* * * * *", minute=5), "a cron text or fields, not both"),
    (lambda: cron(5), "5 is not a cron text; write it in quotes"),
    (lambda: crontab("* * * * *", dst_gap="move"), "dst_gap: 'move' is neither run nor skip"),
    (lambda: crontab("* * * * *", dst_fold="2nd"), "dst_fold: '2nd' is none of first, last, both"),
    # the mapping
    (lambda: crontab(minutes=5), "crontab has no 'minutes'; did you mean minute?"),
    (lambda: crontab(dow=5), "did you mean day_of_week?"),
    (lambda: crontab(minute=60), "60 is not between 0 and 59"),
    (lambda: crontab(hour="5/10x"), "is not a number or a name; that form needs a cron text"),
    (lambda: crontab(hour=None), "crontab hour is empty; leave it out for every hour"),
    (lambda: crontab(hour=[]), "empty list"),
    (lambda: crontab(hour=1.5), "neither a number, a text nor a list"),
    (lambda: crontab(hour=[1.5]), "1.5 is not a whole number"),
    (lambda: crontab(hour=""), "crontab hour has an empty item"),
    (lambda: crontab(minute="*/0"), "the step of '*/0' is not a number from 1 on"),
    (lambda: crontab(day_of_month=31, month_of_year="4,6"), "can never fire"),
    (lambda: schedule_from({"crontab": "0 2 * * *"}), "for the text '0 2 * * *' write cron:"),
    # intervals
    (lambda: interval(0), "every 0 is no time at all"),
    (lambda: interval("0s"), "every '0s' is no time at all"),
    (lambda: interval(-5), "-5 is negative"),
    (lambda: interval("5 parsecs"), "'5 parsecs' is not a duration; write it like 30s"),
    (lambda: interval("*/5 * * * *"), "is not a duration"),
    (lambda: interval(float("inf")), "is not a duration"),
    (lambda: interval(float("nan")), "is not a duration"),
    (lambda: interval(10**400), "is too long"),
    (lambda: interval("9" * 50 + "s"), "is too long"),
    (lambda: interval("9" * 10_000), "is 10000 characters long"),
    (lambda: interval("1000000d"), "longer than a century"),
    (lambda: interval("999us"), "'999us' is too often; every: 1ms is the most"),
    (lambda: interval("0.0000001s"), "finer than a microsecond"),
    (lambda: interval({"minute": 5}), "a duration has no 'minute'; did you mean minutes?"),
    (lambda: interval({"minutes": "5"}), "minutes must be a number, not '5'"),
    (lambda: interval(True), "True is not a duration"),
    (lambda: interval("٣s"), "is not a duration"),
    (lambda: interval("5m", spread=True), "drawn from the entry's name, and there is none"),
    (lambda: interval("5m", spread=True, phase="7s", name="x"), "keep one of them"),
    (lambda: interval("5m", spread="yes"), "spread is true or false"),
    # at
    (lambda: at("tomorrow"), "'tomorrow' is not a moment; write it like 2027-01-01T09:00:00+08:00"),
    (lambda: at("2027-02-30T00:00"), "is not a moment"),
    (lambda: at("0001-01-01T00:00+14:00"), "outside the years 1 to 9999"),
    (lambda: at(1234567890), "is not a moment"),
    # zones
    (lambda: zone("Europe/Berln"), "did you mean Europe/Berlin?"),
    (lambda: zone("berlin"), "did you mean Europe/Berlin?"),
    (lambda: zone("New York"), "did you mean America/New_York?"),
    (lambda: zone("UTC+8"), "name a place instead of an offset"),
    (lambda: zone(""), "'' is not a time zone"),
    (lambda: zone("../etc/passwd"), "is not a time zone"),
    (lambda: zone("\0"), "is not a time zone"),
    (lambda: zone("A" * 10_000), "is not a time zone"),
    (lambda: zone(8), "8 is not a time zone"),
    # solar
    (lambda: solar("sunsets", 0, 0), "did you mean sunset?"),
    (lambda: solar("sunset", 91, 0), "lat 91 is not between -90 and 90"),
    (lambda: solar("sunset", "31", 0), "lat '31' is not a number"),
    (lambda: schedule_from({"solar": {"event": "sunset", "latitude": 1}}), "did you mean lat?"),
    (lambda: schedule_from({"solar": {"event": "sunset"}}), "solar needs lat"),
    # rrule
    (lambda: rrule(""), "there is no rule"),
    (lambda: rrule("FREQ=DALY"), "did you mean DAILY?"),
    (lambda: rrule("INTERVAL=2"), "FREQ is missing"),
    (lambda: rrule("FREQ=DAILY;BYHOURS=2"), "did you mean BYHOUR?"),
    (lambda: rrule("FREQ=DAILY;BYHOUR=24"), "BYHOUR '24' is not a whole number from 0 to 23"),
    (lambda: rrule("FREQ=DAILY;BYHOUR"), "'BYHOUR' is not KEY=VALUE"),
    (lambda: rrule("FREQ=DAILY;COUNT=3"), "COUNT counts from a DTSTART, and there is none"),
    (lambda: rrule("FREQ=DAILY;INTERVAL=0"), "INTERVAL '0' is not a whole number from 1"),
    (lambda: rrule("FREQ=WEEKLY;BYDAY=-1FR"), "it needs FREQ=MONTHLY or YEARLY"),
    (lambda: rrule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "can never fire"),
    (lambda: rrule("FREQ=SECONDLY;BYHOUR=3;BYMONTH=2;BYMONTHDAY=30"), "can never fire"),
    (lambda: rrule("FREQ=HOURLY;INTERVAL=168;BYDAY=MO"), "can never fire"),
    (lambda: rrule("FREQ=MONTHLY;BYDAY=6FR"), "no 6FR; a month has at most 5 of a weekday"),
    (lambda: rrule("FREQ=YEARLY;BYMONTH=11;BYDAY=23MO"), "can never fire"),
    (lambda: rrule("FREQ=DAILY;BYSETPOS=2"), "BYSETPOS counts within one day; it has 1"),
    (lambda: rrule("FREQ=MINUTELY;BYSETPOS=99"), "BYSETPOS counts within one minute; it has 1"),
    (lambda: rrule("DTSTART;TZID=Asia/Tokyo:20270101T000000\nFREQ=DAILY"), "write tz: Asia/Tokyo"),
    (lambda: rrule("EXRULE:FREQ=DAILY"), "did you mean RRULE?"),
    (lambda: rrule("FREQ=DAILY;UNTIL=soon"), "'SOON' is not a time; write it like 20270101T090000"),
    (lambda: rrule("X" * 20_000), "is 20000 characters long"),
    # plain data
    (lambda: schedule_from({}), "at, solar, rrule; this has none"),
    (lambda: schedule_from({"every": "5m", "cron": "* * * * *"}), "this has every and cron"),
    (lambda: schedule_from({"evry": "5m"}), "a schedule has no 'evry'; did you mean every?"),
    (lambda: schedule_from({"cron": "* * * * *", "spread": True}), "shifts the grid"),
    (lambda: schedule_from("5m"), "a schedule is a mapping such as {every: 30s}, not '5m'"),
    (lambda: parse_duration(None), "None is not a duration"),
    (lambda: parse_moment(""), "'' is not a moment"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "said"), OTHERS)
def test_anything_else_is_refused_with_what_would_do(build, said):
    check(build, said)


def check(build, said):
    with pytest.raises(ScheduleError) as refused:
        build()
    message = str(refused.value)
    assert said in message
    assert "\n" not in message
    assert message.isprintable()
    assert len(message) < 260
    assert isinstance(refused.value, ValueError)


EACH = [
    crontab("* * * * *"),
    crontab(minute=0),
    interval("5m"),
    at("2030-01-01"),
    solar("sunset", 0, 0),
    rrule("FREQ=DAILY"),
]


@pytest.mark.parametrize("schedule", EACH, ids=lambda schedule: next(iter(schedule.plain())))
def test_a_moment_without_a_zone_is_refused(schedule):
    with pytest.raises(ScheduleError, match="has no time zone"):
        schedule.next_after(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("schedule", EACH, ids=lambda schedule: next(iter(schedule.plain())))
def test_the_ends_of_time_are_answered(schedule):
    never = schedule.next_after(datetime.max.replace(tzinfo=UTC))
    assert never is None
    first = schedule.next_after(datetime.min.replace(tzinfo=UTC))
    assert first is None or first.year <= 2030


def test_a_date_is_its_midnight_and_a_length_may_be_a_timedelta():
    assert at(date(2027, 1, 1)) == at("2027-01-01T00:00Z")
    assert interval(timedelta(minutes=1)) == interval("60s")


@pytest.mark.parametrize(
    "text", ["an hour", "a minute", "an int", "a UUID", "an OrderedDict", "an Undefined", "a str"]
)
def test_a_noun_has_the_article_that_is_spoken(text: str) -> None:
    assert with_article(text.split()[1]) == text
