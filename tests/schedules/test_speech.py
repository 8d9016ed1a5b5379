"""Numbers, lists and times of day in English words."""

from datetime import datetime
from typing import Any

import pytest

from beatd.entry import Schedule
from beatd.schedules import crontab, describe, interval, rrule, solar
from beatd.schedules.clock_words import clock_words
from beatd.schedules.speech import bits, joined, months, nth, ordinal, runs, weekdays


@pytest.mark.parametrize(
    ("parts", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_a_list_is_joined(parts: list[str], text: str) -> None:
    assert joined(parts) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([5], "5"),
        ([5, 6], "5 and 6"),
        ([5, 6, 7], "5 to 7"),
        ([1, 3, 4, 5, 6, 9], "1, 3 to 6 and 9"),
        ([1, 2, 4, 5], "1, 2, 4 and 5"),
    ],
)
def test_three_in_a_row_are_a_range(values: list[int], text: str) -> None:
    assert runs(values, str) == text


ORDINALS = {
    1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 10: "10th", 11: "11th", 12: "12th", 13: "13th",
    19: "19th", 20: "20th", 21: "21st", 22: "22nd", 23: "23rd", 24: "24th", 31: "31st", 0: "0th",
    -1: "last day", -2: "2nd last day", -21: "21st last day",
}  # fmt: skip
NTHS = {
    1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "6th", 22: "22nd",
    0: "0th", -1: "last", -2: "2nd last", -11: "11th last",
}  # fmt: skip


def test_an_ordinal_has_its_ending() -> None:
    assert {number: ordinal(number) for number in ORDINALS} == ORDINALS
    assert {number: nth(number) for number in NTHS} == NTHS


def test_days_and_months_have_their_names() -> None:
    assert weekdays([0]) == "Sunday"
    assert weekdays([0, 1, 6]) == "Monday, Saturday and Sunday"
    assert weekdays([5, 6, 0]) == "Friday to Sunday"
    assert weekdays(list(range(7))) == "Monday to Sunday"
    assert months([1]) == "January"
    assert months([2, 10, 11, 12]) == "February and October to December"
    assert bits(0b110) == [1, 2]
    assert bits(0) == []


MINUTES, HOURS = list(range(60)), list(range(24))
CLOCKS = [
    # seconds, minutes, hours
    ([0], [30], [2], "at 02:30"),
    ([15], [30], [2], "at 02:30:15"),
    ([0, 30], [5], [9, 17], "at 09:05:00, 09:05:30, 17:05:00 and 17:05:30"),
    ([0], [0], [1, 2, 3, 4, 5, 6], "at 01:00, 02:00, 03:00, 04:00, 05:00 and 06:00"),
    ([0], [0], [1, 2, 3, 4, 5, 6, 7], "at the full hour, from 01:00 to 07:00"),
    ([0], [0], HOURS, "every hour"),
    ([0], [0], HOURS[::3], "every 3 hours"),
    ([0], [0], [0, 12], "at 00:00 and 12:00"),
    ([0], [0], [1, 3, 4, 6, 8, 10, 20], "at the full hour, in hours 01, 03, 04, 06, 08, 10 and 20"),
    ([0], [5], HOURS, "at minute 5 of every hour"),
    ([0], [5, 6, 7], HOURS, "at minutes 5 to 7 of every hour"),
    ([0], MINUTES[::15], HOURS, "every 15 minutes"),
    ([0], [0, 15, 30], HOURS, "at minutes 0, 15 and 30 of every hour"),
    ([0], [0, 20, 30, 40], HOURS, "at minutes 0, 20, 30 and 40 of every hour"),
    ([0], MINUTES, [9], "every minute, in hour 09"),
    ([0], MINUTES[::15], [9, 10], "every 15 minutes, from 09:00 to 10:45"),
    ([0], MINUTES[5:], [9, 11], "at minutes 5 to 59 of every hour, in hours 09 and 11"),
    ([0], MINUTES, HOURS[::2], "every minute, in every 2nd hour from 00"),
    (MINUTES, MINUTES, HOURS, "every second"),
    (MINUTES[::10], MINUTES, HOURS, "every 10 seconds"),
    (MINUTES[::30], [5, 6], HOURS, "every 30 seconds of minute 5 and minute 6"),
    (MINUTES, [5], [9], "every second of minute 5, in hour 09"),
    ([7], MINUTES, HOURS, "at second 7 of every minute"),
    ([0, 7], MINUTES[:59], HOURS, "at seconds 0 and 7 of every minute of minute 0 to minute 58"),
]  # fmt: skip


@pytest.mark.parametrize(("seconds", "minutes", "hours", "text"), CLOCKS)
def test_times_of_day_are_told_shortly(
    seconds: list[int], minutes: list[int], hours: list[int], text: str
) -> None:
    assert clock_words(seconds, minutes, hours) == text


WORDS = [
    (interval("0.0015"), "every 1 millisecond and 500 microseconds"),
    (interval("2d"), "every 2 days"),
    (interval("1w"), "every 7 days"),
    (interval("1h"), "every hour"),
    (interval("25h"), "every 1 day and 1 hour"),
    (interval("90061s"), "every 1 day, 1 hour, 1 minute and 1 second"),
    (interval("1h", phase="1m"), "every hour, shifted by 1 minute"),
    (crontab("0 0 1-7 * *"), "at 00:00 on the 1st to 7th"),
    (crontab("0 0 1,3,5 * *"), "at 00:00 on the 1st, 3rd and 5th"),
    (crontab("0 0 1,3,5,7 * *"), "at 00:00 on every 2nd day from the 1st"),
    (crontab("0 0 1,2,4,8 * *"), "at 00:00 on the 1st, 2nd, 4th and 8th"),
    (crontab("0 0 1-4 * *"), "at 00:00 on the 1st to 4th"),
    (crontab("0 0 1-31 * mon"), "at 00:00"),
    (crontab("0 0 13 * 0-6"), "at 00:00"),
    (crontab("0 0 28-L * *"), "at 00:00 on the 28th to 31st"),
    (crontab("0 0 5,L * *"), "at 00:00 on the 5th and the last day"),
    (crontab("0 0 1-31,L * *"), "at 00:00"),
    (crontab("0 0 W15 * *"), "at 00:00 on the working day nearest the 15th"),
    (crontab("0 0 WL * *"), "at 00:00 on the last working day"),
    (crontab("0 0 * * H"), "at 00:00 on a day drawn from its name"),
    (crontab("0 0 * * 7L"), "at 00:00 on the last Sunday"),
    (crontab("0 0 * * mon,5L"), "at 00:00 on Monday and the last Friday"),
    (crontab("0 0 * * 0-6,5L"), "at 00:00"),
    (crontab("0 0 ? * mon"), "at 00:00 on Monday"),
    (crontab("0 0 */2 * mon"), "at 00:00 on every 2nd day from the 1st if that is Monday"),
    (crontab("0 0 * 2-12 *"), "at 00:00 in February to December"),
    (crontab("0 0 0 * * * 2030-2032"), "at 00:00 of 2030 to 2032"),
    (crontab(minute=0, hour=0, day_of_week="0-5"), "at 00:00 on Monday to Friday and Sunday"),
    (crontab(minute=0, hour=0, day_of_month="1-30"), "at 00:00 on the 1st to 30th"),
    (rrule("FREQ=HOURLY"), "every hour at minute 0"),
    (rrule("FREQ=HOURLY;BYMINUTE=5"), "every hour at minute 5"),
    (rrule("FREQ=MINUTELY;INTERVAL=2;BYSECOND=7"), "every 2 minutes at second 7"),
    (rrule("FREQ=MINUTELY;BYHOUR=9"), "every minute at hour 9"),
    (rrule("FREQ=HOURLY;INTERVAL=2;BYHOUR=8,10"), "every 2 hours at 08:00 and 10:00"),
    (rrule("FREQ=YEARLY;BYMONTHDAY=1,-1;BYMONTH=1,2,3"),
     "every year on the last day and 1st in January to March at 00:00"),
    (rrule("FREQ=YEARLY;BYYEARDAY=60,-1"), "every year on day -1 and 60 of the year at 00:00"),
    (rrule("FREQ=YEARLY;BYWEEKNO=1;BYDAY=SU"),
     "every year on Sunday and week 1 of the year at 00:00"),
    (rrule("FREQ=MONTHLY;BYDAY=MO,2TU"), "every month on Monday and the second Tuesday at 00:00"),
    (rrule("RDATE:20260704T120001,20260705"), "once at 2026-07-04 12:00:01 and 2026-07-05 00:00"),
    (rrule("RDATE:20260704,20260705,20260706,20260707"),
     "once at 2026-07-04 00:00, 2026-07-05 00:00 and 2026-07-06 00:00"),
    (rrule("FREQ=DAILY\nFREQ=WEEKLY\nEXDATE:20260101T000000,20260102"),
     "every day at 00:00; every week on Thursday at 00:00, except 2 times"),
    (solar("dawn_civil", -31.25, 121.5), "every day at dawn civil, seen from 31.25° S, 121.5° E"),
    (solar("sunset", 0, 0), "every day at sunset, seen from 0° N, 0° E"),
]  # fmt: skip


@pytest.mark.parametrize(("schedule", "words"), WORDS, ids=[words for _, words in WORDS])
def test_a_schedule_is_told_in_these_words(schedule: Schedule, words: str) -> None:
    assert describe(schedule) == words


class Tides:
    """A schedule of a kind that has no words."""

    period = None

    def next_after(self, moment: datetime) -> datetime | None:
        return None

    def plain(self) -> dict[str, Any]:
        return {"tides": "high", "at": 3}


def test_an_unknown_kind_is_told_as_yaml_writes_it() -> None:
    assert describe(Tides()) == "tides high, at 3"
