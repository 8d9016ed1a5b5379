"""Every form of a cron text, as tables: text, asked from, the next runs (UTC)."""

from calendar import monthrange

import pytest

from beatd.schedules import crontab, days, schedule_from
from tests.schedules.wall_clock import utc, wall

FORMS = [
    # five fields, six with the seconds first, seven with the year last; any run of blanks
    ("30 2 * * *", "2026-01-01T00:00", ["2026-01-01T02:30+00:00", "2026-01-02T02:30+00:00"]),
    ("15 30 2 * * *", "2026-01-01T00:00", ["2026-01-01T02:30:15+00:00"]),
    ("0 0 12 1 7 ? 2030", "2026-01-01T00:00", ["2030-07-01T12:00+00:00"]),
    ("0 0 0 1 1 * 2028-2030/2", "2026-01-01T00:00",
     ["2028-01-01T00:00+00:00", "2030-01-01T00:00+00:00"]),
    (" 30\t 2  *\n* * ", "2026-01-01T00:00", ["2026-01-01T02:30+00:00"]),
    # nicknames
    ("@hourly", "2026-01-01T00:30", ["2026-01-01T01:00+00:00"]),
    ("@DAILY", "2026-01-01T00:30", ["2026-01-02T00:00+00:00"]),
    ("@midnight", "2026-01-01T00:30", ["2026-01-02T00:00+00:00"]),
    ("@weekly", "2026-01-01T00:30", ["2026-01-04T00:00+00:00"]),
    ("@monthly", "2026-01-01T00:30", ["2026-02-01T00:00+00:00"]),
    ("@yearly", "2026-01-01T00:30", ["2027-01-01T00:00+00:00"]),
    ("@annually", "2026-01-01T00:30", ["2027-01-01T00:00+00:00"]),
    # lists, ranges, steps; N/step runs to the end of the field
    ("0,20,40 * * * *", "2026-01-01T00:00", ["2026-01-01T00:20+00:00", "2026-01-01T00:40+00:00"]),
    ("5-15/5 0 * * *", "2026-01-01T00:06", ["2026-01-01T00:10+00:00", "2026-01-01T00:15+00:00",
                                             "2026-01-02T00:05+00:00"]),
    ("50/5 * * * *", "2026-01-01T00:50", ["2026-01-01T00:55+00:00", "2026-01-01T01:50+00:00"]),
    ("*/70 * * * *", "2026-01-01T00:30", ["2026-01-01T01:00+00:00"]),
    ("*/99999999999999999999999 3 * * *", "2026-01-01T00:30", ["2026-01-01T03:00+00:00"]),
    ("*/25 * * * *", "2026-01-01T00:30", ["2026-01-01T00:50+00:00", "2026-01-01T01:00+00:00"]),
    ("0 0 */10 * *", "2026-01-02T00:00", ["2026-01-11T00:00+00:00", "2026-01-21T00:00+00:00",
                                           "2026-01-31T00:00+00:00", "2026-02-01T00:00+00:00"]),
    ("05 09 * * *", "2026-01-01T00:00", ["2026-01-01T09:05+00:00"]),
    # names in any case; 0 and 7 are Sunday; a range of days may end in Sunday
    ("0 0 1 JAN,Jul *", "2026-01-02T00:00", ["2026-07-01T00:00+00:00", "2027-01-01T00:00+00:00"]),
    ("0 0 * * Sun", "2026-01-01T00:00", ["2026-01-04T00:00+00:00"]),
    ("0 0 * * 7", "2026-01-01T00:00", ["2026-01-04T00:00+00:00"]),
    ("0 0 * * fri-sun", "2026-01-05T00:00", ["2026-01-09T00:00+00:00", "2026-01-10T00:00+00:00",
                                              "2026-01-11T00:00+00:00", "2026-01-16T00:00+00:00"]),
    ("0 0 * * 5-0", "2026-01-10T00:00", ["2026-01-11T00:00+00:00", "2026-01-16T00:00+00:00"]),
    ("0 0 * * 5-7/2", "2026-01-05T00:00", ["2026-01-09T00:00+00:00", "2026-01-11T00:00+00:00"]),
    ("0 0 * * 7-2", "2026-01-05T12:00", ["2026-01-06T00:00+00:00", "2026-01-11T00:00+00:00"]),
    # either day where both are restricted; both where one begins with *
    ("0 0 13 * fri", "2026-01-10T00:00", ["2026-01-13T00:00+00:00", "2026-01-16T00:00+00:00"]),
    ("0 0 */2 * mon", "2026-01-01T00:00", ["2026-01-05T00:00+00:00", "2026-01-19T00:00+00:00"]),
    ("0 0 1 * */2", "2026-01-01T00:00", ["2026-02-01T00:00+00:00", "2026-03-01T00:00+00:00"]),
    ("0 0 ? * mon", "2026-01-01T00:00", ["2026-01-05T00:00+00:00"]),
    ("0 0 15 * ?", "2026-01-01T00:00", ["2026-01-15T00:00+00:00"]),
    # the last day, the nearest working day, the nth and the last of a weekday
    ("0 0 L * *", "2028-01-31T00:00", ["2028-02-29T00:00+00:00", "2028-03-31T00:00+00:00"]),
    ("0 0 1,L 2 *", "2026-01-01T00:00", ["2026-02-01T00:00+00:00", "2026-02-28T00:00+00:00"]),
    ("0 0 28-L 2 *", "2028-01-01T00:00", ["2028-02-28T00:00+00:00", "2028-02-29T00:00+00:00"]),
    ("0 0 LW * *", "2026-01-01T00:00", ["2026-01-30T00:00+00:00", "2026-02-27T00:00+00:00"]),
    ("0 0 15W * *", "2026-02-01T00:00", ["2026-02-16T00:00+00:00", "2026-03-16T00:00+00:00"]),
    ("0 0 1W * *", "2026-07-15T00:00", ["2026-08-03T00:00+00:00", "2026-09-01T00:00+00:00"]),
    ("0 0 31W * *", "2026-04-01T00:00", ["2026-04-30T00:00+00:00", "2026-05-29T00:00+00:00"]),
    ("0 0 * * fri#2", "2026-01-01T00:00", ["2026-01-09T00:00+00:00", "2026-02-13T00:00+00:00"]),
    ("0 0 * * 5#5", "2026-01-01T00:00", ["2026-01-30T00:00+00:00", "2026-05-29T00:00+00:00"]),
    ("0 0 * * L5", "2026-01-01T00:00", ["2026-01-30T00:00+00:00", "2026-02-27T00:00+00:00"]),
    ("0 0 * * 5L", "2026-01-01T00:00", ["2026-01-30T00:00+00:00"]),
    ("0 0 * * mon#1,L5", "2026-01-01T00:00", ["2026-01-05T00:00+00:00", "2026-01-30T00:00+00:00"]),
    # leap years, and a century that is none
    ("0 0 29 2 *", "2026-01-01T00:00", ["2028-02-29T00:00+00:00", "2032-02-29T00:00+00:00"]),
    ("0 0 29 2 *", "2096-03-01T00:00", ["2104-02-29T00:00+00:00"]),
    ("0 0 29 2 */7", "2033-01-01T00:00", ["2060-02-29T00:00+00:00"]),
    ("0 0 31 * *", "2026-01-31T00:00", ["2026-03-31T00:00+00:00", "2026-05-31T00:00+00:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "start", "runs"), FORMS)
def test_a_form_means_what_the_table_says(text, start, runs):
    assert wall(crontab(text), "UTC", start, len(runs)) == runs


SAME = [
    ("@daily", "0 0 * * *"),
    ("0 0 0 * * *", "0 0 * * *"),
    ("0 0 0 * * * *", "0 0 * * *"),
    ("*/15 * * * *", "0,15,30,45 * * * *"),
    ("0 0 * * 0", "0 0 * * SUN"),
    ("0 0 ? * *", "0 0 * * ?"),
    ("0 0 1-31 * mon", "0 0 * * *"),
    ("0 0 31 1 *", "0 0 L 1 *"),
    ("0 0 30 2,4 *", "0 0 30 4 *"),
    ("0 0 * * mon-sun", "0 0 * * *"),
    ("0 0 * * 1#5", "0 0 * * mon#5"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_texts_that_mean_the_same_are_equal(one, other):
    assert crontab(one) == crontab(other)
    assert hash(crontab(one)) == hash(crontab(other))
    assert crontab(one).plain() != crontab(other).plain()


def test_a_text_means_something_else_in_another_zone():
    assert crontab("0 0 * * *") != crontab("0 0 * * *", tz="Europe/Berlin")


def test_a_wildcard_differs_from_its_values_only_where_clocks_step():
    assert crontab("0 * * * *") == crontab("0 0-23 * * *")
    berlin = {"tz": "Europe/Berlin"}
    assert crontab("0 * * * *", **berlin) != crontab("0 0-23 * * *", **berlin)
    follows = crontab("0 0-23 * * *", **berlin, dst_gap="skip", dst_fold="both")
    assert crontab("0 * * * *", **berlin) == follows


def test_no_year_after_the_last_one_named():
    schedule = crontab("0 0 0 1 1 * 2030")
    assert schedule.next_after(utc("2030-01-01T00:00:00")) is None


# --- H: a value drawn from the entry's name -------------------------------------------------------


def values(text, name, tz="UTC"):
    return schedule_from({"cron": text}, name=name, tz=tz)


def test_an_h_is_the_same_in_every_process():
    assert wall(values("H H * * *", "nightly"), "UTC", "2026-01-01T00:00", 1) == [
        "2026-01-01T05:15+00:00"
    ]


def test_an_h_differs_from_name_to_name():
    runs = {
        wall(values("H H * * *", f"job {n}"), "UTC", "2026-01-01T00:00", 1)[0] for n in range(200)
    }
    assert len(runs) > 170


def test_an_h_stays_in_its_range():
    for n in range(300):
        fields = values("H(10-19) H(3-4) H * H", f"job {n}").fields
        assert fields.minutes in [1 << minute for minute in range(10, 20)]
        assert fields.hours in (1 << 3, 1 << 4)


def test_an_h_for_the_day_comes_in_every_month():
    for n in range(100):
        runs = wall(values("0 0 H * *", f"job {n}"), "UTC", "2026-01-01T00:00", 12)
        assert len({run[:7] for run in runs}) >= 11
        assert all(int(run[8:10]) <= 28 for run in runs)


def test_a_stepped_h_begins_within_its_first_step():
    for n in range(100):
        minutes = values("H/15 * * * *", f"job {n}").fields.minutes
        offset = (minutes & -minutes).bit_length() - 1
        assert offset < 15
        assert minutes == sum(1 << offset + 15 * k for k in range(4))


def test_an_h_in_a_range_may_step_too():
    minutes = values("H(0-29)/10 * * * *", "job").fields.minutes
    assert minutes.bit_count() == 3
    assert minutes < 1 << 30


WEEKDAYS_OF_H = [
    # 7 is Sunday, also at the end of a range
    ("H", {0, 1, 2, 3, 4, 5, 6}),
    ("H(0-7)", {0, 1, 2, 3, 4, 5, 6}),
    ("H(1-7)", {0, 1, 2, 3, 4, 5, 6}),
    ("H(5-7)", {5, 6, 0}),
    ("H(5-6)", {5, 6}),
    ("H(7-7)", {0}),
    ("H(0-0)", {0}),
    ("H(mon-fri)", {1, 2, 3, 4, 5}),
]


@pytest.mark.parametrize(("text", "drawn"), WEEKDAYS_OF_H)
def test_an_h_is_drawn_from_each_weekday_of_its_range(text: str, drawn: set[int]) -> None:
    rules = {days.table(days.on_weekdays(1 << day)): day for day in range(7)}
    found = [rules[values(f"0 0 * * {text}", f"job {n}").fields.days] for n in range(100)]
    assert set(found) == drawn


def test_sunday_is_drawn_as_often_as_any_other_day() -> None:
    for n in range(100):
        assert values("0 0 * * H(0-7)", f"job {n}") == values("0 0 * * H", f"job {n}")


def test_the_last_day_is_the_last_of_every_month_for_a_hundred_years():
    runs = wall(crontab("0 0 L * *"), "UTC", "1999-12-31T12:00", 1200)
    for run in runs:
        year, month, day = int(run[:4]), int(run[5:7]), int(run[8:10])
        assert day == monthrange(year, month)[1]
