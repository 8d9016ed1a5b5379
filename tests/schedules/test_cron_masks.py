"""The values of one field of a cron text or of Celery's crontab, as the set of numbers it means."""

import pytest

from beatd.errors import ScheduleError
from beatd.schedules import celery_fields, cron, crontab
from beatd.schedules.cron_fields import HOUR, MINUTE, MONTH, WEEKDAY, Field, mask


def numbers(mask: int) -> set[int]:
    return {bit for bit in range(mask.bit_length()) if mask >> bit & 1}


MASKS = [
    (MINUTE, "55/4", {55, 59}),
    (MINUTE, "59/7", {59}),
    (MINUTE, "*/29", {0, 29, 58}),
    (MINUTE, "0000000005", {5}),
    (MINUTE, "*/00000000030", {0, 30}),
    (MINUTE, "5-7", {5, 6, 7}),
    (HOUR, "22/1", {22, 23}),
    (HOUR, "?", set(range(24))),
    (MONTH, "*/6", {1, 7}),
    (MONTH, "nov-dec", {11, 12}),
    # 7 is Sunday, alone and at either end of a range
    (WEEKDAY, "7", {0}),
    (WEEKDAY, "7-7", {0}),
    (WEEKDAY, "0-0", {0}),
    (WEEKDAY, "0-7", {0, 1, 2, 3, 4, 5, 6}),
    (WEEKDAY, "sun-sun", {0}),
    (WEEKDAY, "6-0", {6, 0}),
    (WEEKDAY, "7-1", {0, 1}),
    (WEEKDAY, "7/3", {0, 3, 6}),
    (WEEKDAY, "5-7", {5, 6, 0}),
    (WEEKDAY, "1/2", {1, 3, 5}),
]


@pytest.mark.parametrize(("field", "word", "expected"), MASKS)
def test_a_field_of_a_cron_text_means_these_numbers(
    field: Field, word: str, expected: set[int]
) -> None:
    assert numbers(mask(field, word)) == expected


DAYS = [
    ("0 0 WL * *", "0 0 LW * *"),
    ("0 0 W15 * *", "0 0 15W * *"),
    ("0 0 * * L7", "0 0 * * L0"),
    ("0 0 * * 7L", "0 0 * * sunL"),
    ("0 0 * * 7#2", "0 0 * * sun#2"),
    ("0 0 1-L * *", "0 0 * * *"),
    ("0 0 5 * * 5L,1", "0 0 5 * * 1,L5"),  # four letters, and no year
]


@pytest.mark.parametrize(("one", "other"), DAYS)
def test_a_day_may_be_written_in_two_ways(one: str, other: str) -> None:
    assert crontab(one) == crontab(other)


def test_six_fields_with_a_number_of_four_digits_last_are_refused() -> None:
    with pytest.raises(ScheduleError, match="a year needs seven"):
        crontab("0 0 5 * * 0005")
    assert crontab("0 0 5 * * 5") == crontab("0 0 5 * * fri")


HASHED = [
    # an H, and each minute that it is drawn to; a step beyond the range leaves one value of it
    ("H(5-5)", {5}),
    ("H(5-6)", {5, 6}),
    ("H(20-29)", set(range(20, 30))),
    ("H(20-29)/40", set(range(20, 30))),
    ("H(20-29)/10", set(range(20, 30))),
    ("H(50-59)/99999999999", set(range(50, 60))),
]


@pytest.mark.parametrize(("text", "drawn"), HASHED)
def test_an_h_is_drawn_to_each_value_of_its_range(text: str, drawn: set[int]) -> None:
    found = [numbers(cron(f"{text} * * * *", name=f"job {n}").fields.minutes) for n in range(200)]
    assert all(len(minutes) == 1 for minutes in found)
    assert set.union(*found) == drawn


def test_an_h_with_a_step_is_drawn_to_each_value_of_the_first_step() -> None:
    found = [
        numbers(cron("H(20-29)/4 * * * *", name=f"job {n}").fields.minutes) for n in range(200)
    ]
    assert {tuple(sorted(minutes)) for minutes in found} == {
        (20, 24, 28),
        (21, 25, 29),
        (22, 26),
        (23, 27),
    }


def test_an_h_is_drawn_from_a_name_that_is_not_utf_8() -> None:
    schedule = cron("H H * * *", name="job \udcff")
    assert (numbers(schedule.fields.minutes), numbers(schedule.fields.hours)) == ({7}, {5})


CELERY = [
    ("minute", "*/15", {0, 15, 30, 45}),
    ("minute", "*\n", set(range(60))),
    ("hour", "*/2", set(range(0, 24, 2))),
    ("hour", "*/99999999999999999999999", {0}),
    ("hour", "0-23/9999", {0}),
    ("hour", "23-0", {23, 0}),
    ("hour", 23, {23}),
]


@pytest.mark.parametrize(("key", "value", "expected"), CELERY)
def test_a_field_of_celerys_crontab_means_these_numbers(
    key: str, value: str | int, expected: set[int]
) -> None:
    fields = crontab(**{key: value}).fields
    assert numbers({"minute": fields.minutes, "hour": fields.hours}[key]) == expected


EVERY_DAY, EVERY_WEEKDAY = set(range(1, 32)), set(range(7))
DAY_MASKS = [
    ({"minute": 0}, EVERY_DAY, EVERY_WEEKDAY),
    ({"day_of_month": "*/31"}, {1}, EVERY_WEEKDAY),
    ({"day_of_week": "fri-mon"}, EVERY_DAY, {5, 6, 0, 1}),
    ({"day_of_month": [1, 15], "day_of_week": "*/3"}, {1, 15}, {0, 3, 6}),
]


@pytest.mark.parametrize(("fields", "month", "week"), DAY_MASKS)
def test_celerys_days_are_those_of_the_month_and_those_of_the_week(
    fields: dict[str, object], month: set[int], week: set[int]
) -> None:
    found = celery_fields.day_masks(celery_fields.written(fields))
    assert tuple(map(numbers, found)) == (month, week)
