"""RedBeat's rrules, as its encoder writes them, run when RedBeat runs them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from beatd.errors import ConfigError
from beatd.imports import FoundEntry, to_entries
from beatd.imports.redbeat_rrule import rrule

redbeat = pytest.importorskip("redbeat")
from redbeat.decoder import RedBeatJSONDecoder, RedBeatJSONEncoder  # noqa: E402  # after the skip

BERLIN = ZoneInfo("Europe/Berlin")
EAST = timezone(timedelta(hours=2))
INDIA = ZoneInfo("Asia/Kolkata")


def written(freq: str, zone: Any, **by: Any) -> str:
    start = datetime(2026, 1, 31, 9, tzinfo=zone)
    return json.dumps(redbeat.schedules.rrule(freq, dtstart=start, **by), cls=RedBeatJSONEncoder)


def moments(text: str, zone: str) -> list[datetime]:
    """The next runs in beatd, imported under a zone."""
    terms = rrule(json.loads(text), zone)
    found = FoundEntry(name="x", plain={"task": "t", **terms.plain}, notes=terms.notes)
    taken = to_entries([found], timezone=zone, source="redbeat")
    assert not taken.refused
    (one,) = taken.entries
    moment: datetime | None = datetime(2026, 2, 3, tzinfo=UTC)
    runs = []
    while len(runs) < 12 and moment is not None:
        moment = one.entry.schedule.next_after(moment)
        runs.append(moment)
    return [run for run in runs if run is not None]


def theirs(text: str) -> list[datetime]:
    """What RedBeat makes of the same text, from the same moment."""
    schedule = json.loads(text, cls=RedBeatJSONDecoder)
    after = datetime(2026, 2, 3, tzinfo=UTC)
    return [run.astimezone(UTC) for run in schedule.rrule.xafter(after, count=12)]


@pytest.mark.parametrize(
    ("freq", "zone", "by"),
    [
        ("MONTHLY", UTC, {"bymonthday": -1}),
        ("DAILY", EAST, {"byhour": [8, 20], "byminute": 30, "bysecond": 0}),
        ("WEEKLY", EAST, {"byweekday": [0, 4], "byhour": 1}),
        ("MONTHLY", EAST, {"bymonthday": 1, "byhour": 0}),
        ("YEARLY", EAST, {"bymonth": [3, 9], "interval": 2}),
        ("HOURLY", UTC, {"interval": 7, "count": 900}),
        ("DAILY", UTC, {"until": datetime(2026, 2, 7, 9, tzinfo=UTC)}),
    ],
)
@pytest.mark.parametrize("imported", ["UTC", "Asia/Shanghai"])
def test_the_next_runs_are_redbeats_whatever_zone_it_is_imported_under(
    freq: str, zone: Any, by: dict[str, Any], imported: str
) -> None:
    text = written(freq, zone, **by)
    assert moments(text, imported) == theirs(text)


def test_in_the_zone_of_its_app_it_keeps_to_the_clock_when_clocks_change() -> None:
    """RedBeat keeps the offset of DTSTART, and is an hour off for the half of the year."""
    text = written("MONTHLY", BERLIN, bymonthday=1, byhour=9)
    runs = moments(text, "Europe/Berlin")
    assert {run.astimezone(BERLIN).hour for run in runs} == {9}
    off = {our - their for our, their in zip(runs, theirs(text), strict=True)}
    assert off == {timedelta(0), -timedelta(hours=1)}
    assert all(one < other for one, other in pairwise(runs))


def test_a_zone_that_is_not_known_by_its_offset_is_asked_for() -> None:
    text = written("DAILY", INDIA, byhour=9)
    with pytest.raises(ConfigError, match=r"on the clock of UTC\+05:30, .* --tz of its app"):
        rrule(json.loads(text), "UTC")
    assert moments(text, "Asia/Kolkata") == theirs(text)
