"""After 2037, where pytz knows no transition, zones go on by the rule that their files end with."""

import struct
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytz

from beatd.definition import check
from beatd.schedules import crontab, zone
from beatd.schedules.moment import parse_moment
from beatd.schedules.zone import PYTZ_ENDS, RULE_ENDS, _transitions, offsets

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",  # the south, its summer over the turn of the year
    "Australia/Lord_Howe",  # half an hour
    "Asia/Gaza",  # listed transitions up to 2086, then a rule
    "Asia/Shanghai",  # none
    "Pacific/Chatham",  # quarters of an hour
    "America/Nuuk",  # it changes on another day than its neighbours
]
FIRST, LAST = datetime(2038, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def of_python(name: str) -> ZoneInfo:
    with Path(pytz.__file__).with_name("zoneinfo").joinpath(name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


@pytest.mark.parametrize("name", ZONES)
def test_a_cron_text_keeps_its_wall_clock_time_up_to_2100(name: str) -> None:
    known, schedule = of_python(name), crontab("30 12 * * *", tz=name)
    moment = schedule.next_after(FIRST - timedelta(days=1))
    while moment is not None and moment < LAST:
        local = moment.astimezone(known)
        assert (local.hour, local.minute) == (12, 30), local
        assert moment == local.replace(tzinfo=known).astimezone(UTC)
        moment = schedule.next_after(moment)


@pytest.mark.parametrize("name", ZONES)
def test_every_day_has_one_run_of_a_job_at_night(name: str) -> None:
    """Also on the days of a gap or a fold, which both lie in the night."""
    known, schedule = of_python(name), crontab("30 2 * * *", tz=name)
    moment, days = schedule.next_after(FIRST), []
    while moment is not None and moment < LAST:
        days.append(moment.astimezone(known).date())
        moment = schedule.next_after(moment)
    assert all(after - before == timedelta(days=1) for before, after in pairwise(days))
    assert len(days) > 22_000


@pytest.mark.parametrize("name", ZONES)
def test_a_single_moment_without_an_offset_is_on_its_wall_clock(name: str) -> None:
    known = of_python(name)
    for month in range(62 * 12):
        local = datetime(2038 + month // 12, month % 12 + 1, 15, 9, 0)  # noqa: DTZ001
        expected = local.replace(tzinfo=known).astimezone(UTC)
        assert parse_moment(local.isoformat(), name) == expected
        if month % 60 == 5:
            entry, problems = check("x", {"task": "t", "at": local.isoformat(), "tz": name})
            assert entry is not None, problems
            assert entry.schedule.next_after(FIRST - timedelta(days=1)) == expected


def test_every_zone_has_the_offsets_that_python_reads_from_its_file() -> None:
    for name in pytz.all_timezones:
        known, ours = of_python(name), offsets(name)
        edges = [at + beside for at in ours.at if at >= PYTZ_ENDS for beside in (-1, 0)]
        days = range(PYTZ_ENDS, RULE_ENDS, 86400 * 27)
        for second in (*edges, *days):
            found = datetime.fromtimestamp(second, known).utcoffset()
            assert found == timedelta(seconds=ours.off[ours.index(second)]), (name, second)


def test_what_is_shown_is_what_was_planned() -> None:
    schedule = crontab("0 9 1 7 *", tz="Europe/Berlin")
    moment = schedule.next_after(datetime(2044, 1, 1, tzinfo=UTC))
    assert moment is not None
    assert moment.isoformat() == "2044-07-01T07:00:00+00:00"
    assert moment.astimezone(zone("Europe/Berlin")).isoformat() == "2044-07-01T09:00:00+02:00"


def test_the_second_part_of_a_file_is_found_behind_all_that_the_first_has():
    # RFC 8536: times of 4 bytes and their types, types, names, leap seconds, two kinds of flags
    def header(times: int, leap: int) -> bytes:
        return struct.pack(">4sc15x6l", b"TZif", b"2", 2, 3, leap, times, 1, 4)

    first = b"x" * (5 * 5 + 1 * 6 + 4 + 7 * 8 + 3 + 2)
    second = struct.pack(">2q", -1, 1 << 40)
    assert _transitions(header(5, 7) + first + header(2, 0) + second) == (-1, 1 << 40)
