"""Which schedules a clock change moves, skips or doubles."""

from datetime import UTC, datetime
from typing import Any

import pytest

from beatd.definition import entry_from
from beatd.schedules.clock_nights import clock_nights

SINCE, UNTIL = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC)
SPRING, AUTUMN = datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)


def nights(**plain: Any) -> list[tuple[datetime, str, str]]:
    entry = entry_from("x", {"task": "t", "tz": "Europe/Berlin", **plain})
    found = clock_nights(entry.schedule, SINCE, UNTIL)
    return [(one.moment, one.effect, f"{one.wall:%H:%M}") for one in found]


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ({"cron": "30 2 * * *"}, [(SPRING, "moved", "02:30")]),
        ({"cron": "30 2 * * *", "dst_gap": "skip"}, [(SPRING, "skipped", "02:30")]),
        (
            {"cron": "30 2 * * *", "dst_fold": "both"},
            [(SPRING, "moved", "02:30"), (AUTUMN, "twice", "02:30")],
        ),
        # a wildcard job of one hour follows elapsed time, and has this hour twice or never
        (
            {"cron": "*/20 2 * * *"},
            [(SPRING, "skipped", "02:00"), (AUTUMN, "twice", "02:00")],
        ),
        # the hours beside it go at the same pace
        ({"cron": "*/20 1-3 * * *"}, []),
        ({"cron": "*/20 1-2 * * *"}, [(SPRING, "skipped", "02:00"), (AUTUMN, "twice", "02:00")]),
        ({"cron": "*/20 2-3 * * *"}, [(SPRING, "skipped", "02:00"), (AUTUMN, "twice", "02:00")]),
        # at the end of the hour, and of all runs
        ({"cron": "0 3 * * *"}, []),
        ({"cron": "0 3 * * *", "dst_gap": "skip", "dst_fold": "both"}, []),
        ({"cron": "0 30 2 * * * 2026-2027"}, [(SPRING, "moved", "02:30")]),
        ({"cron": "0 30 2 1 1 * 2027"}, []),
        # at the same pace all day long
        ({"cron": "*/5 * * * *"}, []),
        ({"cron": "0 * * * *"}, []),
        # the run at 03:00 takes the place of the one at 02:00
        ({"cron": "0 1-5 * * *"}, []),
        ({"cron": "30 3 * * *"}, []),
        ({"cron": "30 2 * * mon"}, []),
        ({"cron": "30 2 * * *", "tz": "UTC"}, []),
        ({"every": "1h"}, []),
        ({"rrule": "FREQ=DAILY;BYHOUR=2;BYMINUTE=30;BYSECOND=0"}, [(SPRING, "moved", "02:30")]),
    ],
)
def test_what_clock_changes_do(plain: dict[str, Any], expected: list[object]) -> None:
    assert nights(**plain) == expected


def test_a_clock_change_outside_the_range_does_not_count() -> None:
    entry = entry_from("x", {"task": "t", "tz": "Europe/Berlin", "cron": "30 2 * * *"})
    assert list(clock_nights(entry.schedule, SPRING, UNTIL)) == []
    assert len(list(clock_nights(entry.schedule, SINCE, SPRING))) == 1


def test_the_first_change_of_a_zone_counts() -> None:
    # Abidjan put its clock on by 16 minutes in 1912, and never again.
    entry = entry_from("x", {"task": "t", "tz": "Africa/Abidjan", "cron": "5 0 * * *"})
    begin, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (1900, 2030))
    found = list(clock_nights(entry.schedule, begin, end))
    assert [(f"{one.wall:%Y-%m-%d %H:%M}", f"{one.then:%H:%M}") for one in found] == [
        ("1912-01-01 00:05", "00:16")
    ]
