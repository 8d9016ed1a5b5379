"""Schedules that run at events of the sun, such as sunset; ephem computes them as in Celery."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from math import cos, isfinite, pi
from typing import Any

from beatd.errors import MissingExtra, ScheduleError
from beatd.schedules.dst import second_after
from beatd.schedules.quote import quoted
from beatd.schedules.zone import EPOCH

#: Each event: ephem's search for it, the sun's height, and True if that is its centre's height.
EVENTS = {
    "dawn_astronomical": ("next_rising", "-18", True),
    "dawn_nautical": ("next_rising", "-12", True),
    "dawn_civil": ("next_rising", "-6", True),
    "sunrise": ("next_rising", "-0:34", False),
    "solar_noon": ("next_transit", "0", False),
    "sunset": ("next_setting", "-0:34", False),
    "dusk_civil": ("next_setting", "-6", True),
    "dusk_nautical": ("next_setting", "-12", True),
    "dusk_astronomical": ("next_setting", "-18", True),
}
# Beyond the polar circles an event may not come for most of a year, but never longer.
_DAYS_AHEAD = 400
_DAY_S = 86400
_TILT_DEGREES = 23.45
_MARGIN_DEGREES = 3.0  # more than the estimate of the sun's height can be wrong by


@dataclass(frozen=True, slots=True)
class Solar:
    """A schedule that runs at each event of the sun, such as sunset, at one place.

    `lat` and `lon` are the place, in degrees. Runs are whole seconds; a day without the event has
    none.
    """

    event: str
    lat: float
    lon: float

    @property
    def period(self) -> None:
        return None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the next event of the sun after `moment`, in UTC.

        None if there is none within 400 days. Raises ScheduleError if `moment` has no time zone,
        and MissingExtra if ephem is not installed.
        """
        second = second_after(moment)
        today = second // _DAY_S
        # By whole days, so that an event does not depend on the moment of the search.
        for day in range(today, today + _DAYS_AHEAD):
            if not _in_reach(self.event, self.lat, day):
                continue
            for event in events_of(self.event, self.lat, self.lon, day):
                if event >= second:
                    return EPOCH + timedelta(0, event)
        return None

    def plain(self) -> dict[str, Any]:
        """Return the schedule as YAML writes it: {"solar": {"event": …, "lat": …, "lon": …}}."""
        return {"solar": {"event": self.event, "lat": self.lat, "lon": self.lon}}


def solar(event: str, lat: float, lon: float) -> Solar:
    """Return a schedule that runs at an event of the sun, such as "sunset", at one place.

    `event` is one of Celery's nine; `lat` and `lon` are degrees. Raises ScheduleError if one is
    wrong, and MissingExtra if ephem is not installed.
    """
    if not isinstance(event, str) or event not in EVENTS:
        near = get_close_matches(str(event)[:40], EVENTS, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(EVENTS)}"
        raise ScheduleError(f"solar has no event {quoted(event)}; {hint}")
    if _ephem() is None:
        raise MissingExtra("solar schedules", "solar")
    return Solar(event, _degrees("lat", lat, 90), _degrees("lon", lon, 180))


def from_mapping(value: Any) -> Solar:
    """Return the schedule of a mapping such as {"event": "sunset", "lat": 31.2, "lon": 121.5}.

    Raises ScheduleError for an unknown or missing key or a wrong value, and MissingExtra if ephem
    is not installed.
    """
    keys = ("event", "lat", "lon")
    if not isinstance(value, Mapping):
        raise ScheduleError(
            f"solar is a mapping such as {{event: sunset, lat: 31.2, lon: 121.5}}, "
            f"not {quoted(value)}"
        )
    for key in value:
        if key not in keys:
            near = {"latitude": "lat", "longitude": "lon", "long": "lon"}.get(str(key))
            hint = f"did you mean {near}?" if near else f"it has {', '.join(keys)}"
            raise ScheduleError(f"solar has no {quoted(key)}; {hint}")
    for key in keys:
        if key not in value:
            raise ScheduleError(
                f"solar needs {key}; write {{event: sunset, lat: 31.2, lon: 121.5}}"
            )
    return solar(value["event"], value["lat"], value["lon"])


def _in_reach(event: str, lat: float, day: int) -> bool:
    """Return False if the event cannot occur on that day, such as a sunset in the polar night.

    `day` counts from 1970. The estimate saves a slow search by ephem.
    """
    search, horizon, _ = EVENTS[event]
    if search == "next_transit":
        return True
    height = float(horizon.partition(":")[0])
    # Ten days before the first of January the sun stands lowest in the north.
    declination = -_TILT_DEGREES * cos(2 * pi * (day + 11) / 365.2425)
    lowest, highest = abs(lat + declination) - 90, 90 - abs(lat - declination)
    return lowest - _MARGIN_DEGREES <= height <= highest + _MARGIN_DEGREES


@lru_cache(maxsize=8192)
def events_of(event: str, lat: float, lon: float, day: int) -> tuple[int, ...]:
    """Return the UTC seconds of an event of the sun, such as "sunset", on one UTC day.

    `day` counts from 1970; `lat` and `lon` are degrees. The result is empty if the event does not
    occur. Raises MissingExtra if ephem is not installed.
    """
    ephem = _ephem()
    if ephem is None:
        raise MissingExtra("solar schedules", "solar")
    search, horizon, centre = EVENTS[event]
    place = ephem.Observer()
    place.lat, place.lon, place.elev, place.pressure = str(lat), str(lon), 0, 0
    place.horizon = horizon
    options = {"use_center": True} if centre else {}
    begin = day * _DAY_S
    # A minute early, for an event that falls on midnight within ephem's precision.
    search_from, found = begin - 60, []
    while search_from < begin + _DAY_S:
        try:
            start = ephem.Date(datetime.fromtimestamp(search_from, UTC).replace(tzinfo=None))
            when = getattr(place, search)(ephem.Sun(), start=start, **options)
            since = when.datetime().replace(tzinfo=UTC) - EPOCH
        except (ephem.CircumpolarError, ValueError, OverflowError):
            break  # no such event today, or the end of the years a datetime has
        second = round(since.total_seconds())
        if begin <= second < begin + _DAY_S:
            found.append(second)
        search_from = second + 60
    return tuple(found)


def _degrees(key: str, value: Any, most: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ScheduleError(f"solar {key} {quoted(value)} is not a number of degrees")
    if not -most <= value <= most:
        raise ScheduleError(f"solar {key} {quoted(value)} is not between -{most} and {most}")
    return float(value)


def _ephem() -> Any:
    try:
        import ephem
    except ImportError:
        return None
    return ephem
