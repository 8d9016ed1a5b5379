"""What a schedule is called in plain English."""

import pytest

from beatd.schedules import at, crontab, describe, interval, rrule, solar

WORDS = [
    (interval("30s"), "every 30 seconds"),
    (interval("1m"), "every minute"),
    (interval("1d"), "every day"),
    (interval("90m"), "every 1 hour and 30 minutes"),
    (interval(0.5), "every 500 milliseconds"),
    (interval("5m", phase="7s"), "every 5 minutes, shifted by 7 seconds"),
    (crontab("* * * * *"), "every minute"),
    (crontab("*/10 * * * * *"), "every 10 seconds"),
    (crontab("@hourly"), "every hour"),
    (crontab("0 */3 * * *"), "every 3 hours"),
    (crontab("5 * * * *"), "at minute 5 of every hour"),
    (crontab("30 2 * * *", tz="Europe/Berlin"), "at 02:30, Europe/Berlin time"),
    (crontab("0 9,17 * * *"), "at 09:00 and 17:00"),
    (crontab("15 30 2 * * *"), "at 02:30:15"),
    (crontab("*/15 9-17 * * mon-fri"),
     "every 15 minutes, from 09:00 to 17:45 on Monday to Friday"),
    (crontab("0 0 13 * fri"), "at 00:00 on the 13th and on every Friday"),
    (crontab("0 0 13 * fri#2"), "at 00:00 on the 13th and on the second Friday"),
    (
        crontab("0 0 13 * mon,fri#2"),
        "at 00:00 on the 13th and on every Monday and the second Friday",
    ),
    (crontab("0 0 */2 * mon"), "at 00:00 on every 2nd day from the 1st if that is Monday"),
    (crontab("0 0 1,15 * *"), "at 00:00 on the 1st and 15th"),
    (crontab("0 0 L * *"), "at 00:00 on the last day"),
    (crontab("0 0 LW 3 *"), "at 00:00 on the last working day in March"),
    (crontab("0 9 15W * *"), "at 09:00 on the working day nearest the 15th"),
    (crontab("0 9 * * fri#2"), "at 09:00 on the second Friday"),
    (crontab("0 9 * * L5"), "at 09:00 on the last Friday"),
    (crontab("0 0 * * 0,6"), "at 00:00 on Saturday and Sunday"),
    (crontab("0 0 0 1 1 ? 2030"), "at 00:00 on the 1st in January of 2030"),
    (crontab("0 0 H * *"), "at 00:00 on a day drawn from its name"),
    (crontab(minute=0, hour="*/3", day_of_month="1-7", day_of_week="mon"),
     "every 3 hours on the 1st to 7th if that is Monday"),
    (rrule("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17", tz="Europe/Berlin"),
     "every month on the last Friday at 17:00, Europe/Berlin time"),
    (rrule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE"),
     "every 2 weeks on Monday to Wednesday at 00:00"),
    (rrule("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYHOUR=9"),
     "every month on Monday to Friday, only the last of these, at 09:00"),
    (rrule("FREQ=DAILY;UNTIL=20270101T000000"), "every day at 00:00, until 2027-01-01 00:00"),
    (rrule("DTSTART:20260101T090000\nRRULE:FREQ=DAILY\nEXDATE:20261224"),
     "every day at 09:00, except 1 time"),
    (at("2027-01-01T09:00", tz="Asia/Shanghai"), "once, at 2027-01-01 01:00:00 UTC"),
    (solar("sunset", 31.2, -121.5), "every day at sunset, seen from 31.2° N, 121.5° W"),
]  # fmt: skip


@pytest.mark.parametrize(("schedule", "words"), WORDS, ids=lambda value: str(value)[:40])
def test_a_schedule_is_told_as_one_says_it(schedule, words):
    assert describe(schedule) == words


def test_a_moment_is_in_the_zone_of_its_entry() -> None:
    once = at("2026-11-28T23:30", tz="Europe/Berlin")
    assert describe(once, "Europe/Berlin") == "once, at 2026-11-28 23:30:00 CET"
