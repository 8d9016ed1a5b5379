"""A moment that somebody typed, or copied from a table with the name of its offset."""

from datetime import datetime

import pytest

from beatd.errors import ScheduleError
from beatd.schedules.typed_moment import typed_moment

NOW = datetime.fromisoformat("2026-11-28T14:00:00+01:00")
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def typed(text: str, *, coming: bool = False) -> str:
    moment = typed_moment(text, NEW_YORK, NOW, coming=coming, also=(BERLIN,))
    return moment.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-28T06:52", "2026-11-28T11:52:00Z"),
        ("2026-11-28 06:52:00 EST", "2026-11-28T11:52:00Z"),
        ("2026-11-28 12:52:00 CET", "2026-11-28T11:52:00Z"),
        ("2026-11-28 12:52:00.250 CET", "2026-11-28T11:52:00.250000Z"),
        ("Sat 2026-11-28 12:52:00 CET", "2026-11-28T11:52:00Z"),
        ("2026-07-01 12:52:00 CEST", "2026-07-01T10:52:00Z"),
        ("2026-11-28 11:52:00 UTC", "2026-11-28T11:52:00Z"),
        ("2026-11-28 08:52:00 -03", "2026-11-28T11:52:00Z"),
        ("2026-11-28 17:37:00 +0545", "2026-11-28T11:52:00Z"),
        ("Sat 2026-11-28 06:52:00   EST -05:00", "2026-11-28T11:52:00Z"),
        ("Sat 2026-11-28 20:52:00.500  JST +09:00", "2026-11-28T11:52:00.500000Z"),
        ("Sat 2026-11-28 08:52:00  -03:00 ", "2026-11-28T11:52:00Z"),
        ("06:52 EST", "2026-11-28T11:52:00Z"),
        ("12:52 CET", "2026-11-28T11:52:00Z"),
        ("14:01 CET", "2026-11-27T13:01:00Z"),
        ("2026-11-28T12:52:00+01:00", "2026-11-28T11:52:00Z"),
    ],
)
def test_the_name_of_an_offset_is_read_where_one_of_the_zones_has_it_then(
    text: str, moment: str
) -> None:
    assert typed(text) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-25 02:30:00 CEST", "2026-10-25T00:30:00Z"),
        ("2026-10-25 02:30:00 CET", "2026-10-25T01:30:00Z"),
        ("2026-10-25 02:30:00.5 CET", "2026-10-25T01:30:00.500000Z"),
    ],
)
def test_the_name_tells_the_two_passes_of_a_night_apart(text: str, moment: str) -> None:
    assert typed(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-28 12:52:00 JST",
        "2026-11-28 12:52:00 CEST",
        "2026-11-28 06:52:00 EDT",
        "2026-03-29 02:30:00 CET",  # the clock skips it
    ],
)
def test_another_name_is_refused_with_what_may_be_written(text: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        typed(text)
    name, wall = text[-4:].strip(), text[:19].replace(" ", "T")
    assert str(refused.value).startswith(f"{text!r}: neither {NEW_YORK} nor {BERLIN} has {name} ")
    assert f"without a name for {NEW_YORK}, or with an offset, like {wall}" in str(refused.value)


def test_one_zone_is_named_once() -> None:
    with pytest.raises(ScheduleError) as refused:
        typed_moment("2026-11-28 12:52:00 CET", "UTC", NOW, coming=False, also=("UTC",))
    assert str(refused.value) == (
        "'2026-11-28 12:52:00 CET': UTC does not have CET at that time; write it without a name "
        "for UTC, or with an offset, like 2026-11-28T12:52:00+01:00"
    )


@pytest.mark.parametrize(
    "text", ["nope", "2026-11-28T12:52+01:00 CET", "Sat CET", "x 12 CET", "Mon 2026-99-99"]
)
def test_what_is_no_moment_is_refused_as_before(text: str) -> None:
    with pytest.raises(ScheduleError, match="is not a moment; write it like"):
        typed(text)


def test_a_wrong_day_of_the_week_is_refused() -> None:
    with pytest.raises(ScheduleError, match="2026-11-28 is a Saturday"):
        typed("Sun 2026-11-28 12:52:00 CET")


def test_a_time_of_day_is_the_next_one_where_it_comes() -> None:
    assert typed("12:52 CET", coming=True) == "2026-11-29T11:52:00Z"
