"""The parts of a recurrence rule: the numbers that each allows, and what is said of others."""

from datetime import date, datetime

import pytest

from beatd.errors import ScheduleError
from beatd.schedules import rrule_text

NUMBERS = [
    ("BYMONTH", 1, 12),
    ("BYMONTHDAY", -31, 31),
    ("BYYEARDAY", -366, 366),
    ("BYWEEKNO", -53, 53),
    ("BYSETPOS", -366, 366),
    ("BYHOUR", 0, 23),
    ("BYMINUTE", 0, 59),
    ("BYSECOND", 0, 59),
    ("INTERVAL", 1, 10_000_000),
    ("COUNT", 1, 10_000),
]


@pytest.mark.parametrize(("key", "low", "high"), NUMBERS)
def test_a_part_has_a_lowest_and_a_highest_number(key: str, low: int, high: int) -> None:
    start = "DTSTART:20260101T000000 FREQ=YEARLY;"
    for number in (low, high):
        rrule_text.parse(f"{start}{key}={number}", "UTC")
    for number in (low - 1, high + 1):
        with pytest.raises(ScheduleError) as refused:
            rrule_text.parse(f"{start}{key}={number}", "UTC")
        said = f"{key} '{number}' is not a whole number from {low} to {high}"
        assert str(refused.value).endswith(f": {said}")


REFUSED = [
    ("FREQ=DAILY;BYMONTHDAY=0", "BYMONTHDAY=0 is nothing; it counts from 1, or from the end with "
     "-1"),
    ("FREQ=DAILY;BYMONTHDAY=1,0", "BYMONTHDAY=0 is nothing; it counts from 1, or from the end with "
     "-1"),
    ("FREQ=DAILY;BYHOUR=1_0", "BYHOUR '1_0' is not a whole number from 0 to 23"),
    ("FREQ=DAILY;BYHOUR=0000000001", "BYHOUR '0000000001' is not a whole number from 0 to 23"),
    ("FREQ=DAILY;FREQ=DAILY", "FREQ is given twice; keep one of them"),
    ("FREQ=DAILY;BYHOUR=", "'BYHOUR=' is not KEY=VALUE; write it like FREQ=DAILY;BYHOUR=9"),
    ("FREQ=DAILY;X=1", "'X' is not understood; there are FREQ, INTERVAL, COUNT, UNTIL, WKST, "
     "BYDAY, BYMONTH, BYMONTHDAY, BYYEARDAY, BYWEEKNO, BYSETPOS, BYHOUR, BYMINUTE, BYSECOND"),
    ("FREQ=X", "FREQ 'X': there are YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY"),
    ("INTERVAL=2", "FREQ is missing; it is one of YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, "
     "MINUTELY, SECONDLY"),
    ("X:1", "'X' is not understood; there are DTSTART, RRULE, EXDATE, RDATE"),
    ("DTSTART;X=1:20260101", "'X=1' is not understood; only TZID and VALUE are"),
    ("DTSTART:20260101 FREQ=DAILY;COUNT=3;UNTIL=20270101", "COUNT and UNTIL both end it; keep one "
     "of them"),
    ("DTSTART;TZID=Asia/Tokyo:20260101", "TZID=ASIA/TOKYO is not the entry's zone UTC; write tz: "
     "Asia/Tokyo"),
    ("FREQ=MONTHLY;BYDAY=0FR", "'0FR' is not a day; write MO, or -1FR for the last Friday"),
    ("FREQ=MONTHLY;BYDAY=XX", "'XX' is not a day; write MO, or -1FR for the last Friday"),
    ("FREQ=MONTHLY;BYDAY=6FR", "there is no 6FR; a month has at most 5 of a weekday"),
    ("FREQ=MONTHLY;BYDAY=-6FR", "there is no -6FR; a month has at most 5 of a weekday"),
    ("FREQ=YEARLY;BYDAY=54FR", "there is no 54FR; a year has at most 53 of a weekday"),
    ("FREQ=WEEKLY;BYDAY=1FR", "1FR counts within a month or year; it needs FREQ=MONTHLY or YEARLY"),
    ("FREQ=DAILY;BYHOUR=9,15;BYSETPOS=3", "BYSETPOS counts within one day; it has 2"),
    ("FREQ=DAILY;BYHOUR=9,9;BYSETPOS=2", "BYSETPOS counts within one day; it has 1"),
    ("FREQ=HOURLY;BYHOUR=9,15;BYMINUTE=1,2;BYSETPOS=-3", "BYSETPOS counts within one hour; it has "
     "2"),
    ("FREQ=DAILY;UNTIL=2027", "'2027' is not a time; write it like 20270101T090000"),
    ("EXDATE:20260101", "there is no rule; write it like FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_a_wrong_part_is_refused_with_these_words(text: str, said: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        rrule_text.parse(text, "UTC")
    assert str(refused.value).endswith(f": {said}")


def up_to(end: int) -> str:
    return ",".join(map(str, range(end)))


ALLOWED = [
    "FREQ=MONTHLY;BYDAY=5FR,-5FR",
    "FREQ=YEARLY;BYDAY=53FR,-53FR",
    "FREQ=DAILY;BYHOUR=9,15;BYSETPOS=2,-2",
    "FREQ=HOURLY;BYMINUTE=1,2;BYSETPOS=-2",
    "FREQ=MINUTELY;BYSECOND=1,2,3;BYSETPOS=3",
    "FREQ=DAILY;BYHOUR=+000000009",
    "FREQ=WEEKLY;WKST=SU;BYDAY=MO;",
    "DTSTART;TZID=UTC;VALUE=DATE-TIME:20260101T000000 FREQ=DAILY",
    "FREQ=DAILY".ljust(10_000, ";"),
    f"FREQ=DAILY;BYHOUR={up_to(24)};BYMINUTE={up_to(60)};BYSECOND={up_to(60)}",
]


@pytest.mark.parametrize("text", ALLOWED)
def test_the_last_that_a_part_allows(text: str) -> None:
    assert len(rrule_text.parse(text, "UTC").rules) == 1


def test_a_text_is_at_most_ten_thousand_characters_long() -> None:
    with pytest.raises(ScheduleError, match="is 10001 characters long; 10000 will do"):
        rrule_text.parse("FREQ=DAILY".ljust(10_001, ";"), "UTC")


def test_each_line_of_a_text_is_read() -> None:
    found = rrule_text.parse(
        "DTSTART;TZID=Europe/Berlin:20260105T090000\n"
        "RRULE:FREQ=DAILY;UNTIL=20260301T080000Z\n"
        "FREQ=YEARLY\n"
        "RDATE:20260704T120000,20260703\n"
        "EXDATE:20260110T090000,20260111",
        "Europe/Berlin",
    )
    assert [rule.start for rule in found.rules] == [datetime(2026, 1, 5, 9)] * 2  # noqa: DTZ001
    assert [rule.until for rule in found.rules] == [datetime(2026, 3, 1, 9), None]  # noqa: DTZ001
    assert found.extra == (datetime(2026, 7, 3), datetime(2026, 7, 4, 12))  # noqa: DTZ001
    assert found.left_out == {datetime(2026, 1, 10, 9)}  # noqa: DTZ001
    assert found.days_left_out == {date(2026, 1, 11)}
