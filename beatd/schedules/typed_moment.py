"""Read a moment that somebody typed or copied from a table, such as "2026-11-28 12:52:00 CET"."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from beatd.errors import ScheduleError
from beatd.schedules.day_time import with_date
from beatd.schedules.moment import in_zone, local_moment, parse_moment
from beatd.schedules.quote import quoted
from beatd.schedules.zone import zone

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = re.compile(rf"({'|'.join(DAYS)}) (?=\d{{4}}-)")
_NAMED_AND_OFFSET = re.compile(r"(.*\d) [A-Z]{2,6} ([+-]\d\d:\d\d)", re.ASCII)  # of `beatd next`
_NAMED = re.compile(r"(.*\d) ([A-Z]{2,6}|[+-]\d\d(?::?\d\d)?)", re.ASCII)


def typed_moment(
    text: str, tz: str, now: datetime, *, coming: bool, also: Sequence[str] = ()
) -> datetime:
    """Return the UTC time for ISO 8601, a time of day, or a moment as a table shows it.

    A time without an offset is in the zone `tz`. A time of day such as "14:30" is the newest such
    moment or, if `coming`, the next one. The name of an offset, such as CET, is read if it is UTC,
    or if `tz` or a zone of `also` has it at that time. If an offset follows the name, as in
    "EST -05:00", the offset alone counts. Raises ScheduleError for another text.
    """
    plain = _without_day(" ".join(text.split()))
    both = _NAMED_AND_OFFSET.fullmatch(plain)
    if both is not None:
        plain = " ".join(both.groups())
    found = _NAMED.fullmatch(plain)
    if found is None:
        return parse_moment(with_date(plain, tz, now, coming=coming), tz)
    wall, name = found.groups()
    if not name.isalpha():
        return parse_moment(f"{wall}{name}")
    zones = tuple(dict.fromkeys((tz, *also)))
    for one in (*zones, "UTC"):
        dated = with_date(wall, one, now, coming=coming)
        local = _local(dated, text)
        for moment in (parse_moment(local, one), _second_pass(local, one)):
            shown = in_zone(moment, zone(one))
            if shown.tzname() == name and shown.replace(tzinfo=None) == local:
                return moment
    raise ScheduleError(_refusal(text, name, with_date(wall, tz, now, coming=coming), zones))


def _without_day(text: str) -> str:
    """Return the text without a day of the week, which `beatd next` shows before the date."""
    found = _DAY.match(text)
    if found is None:
        return text
    rest = text[found.end() :]
    try:
        date = datetime.fromisoformat(rest[:10])
    except ValueError:
        return text
    if DAYS[date.weekday()] != found[1]:
        raise ScheduleError(f"{quoted(text)}: {rest[:10]} is a {date:%A}")
    return rest


def _local(wall: str, text: str) -> datetime:
    try:
        local = local_moment(wall)
    except ScheduleError:
        local = None
    if local is None or local.tzinfo is not None:
        local_moment(text)  # raises the refusal of any text that is no moment
        raise ScheduleError(f"{quoted(text)} is not a moment")
    return local


def _second_pass(local: datetime, tz: str) -> datetime:
    # If a clock shows the time twice, this is the second one.
    return local.replace(tzinfo=zone(tz), fold=1).astimezone(UTC)


def _refusal(text: str, name: str, wall: str, zones: Sequence[str]) -> str:
    offset = datetime.fromisoformat(wall).isoformat()
    lack = f"neither {' nor '.join(zones)} has" if len(zones) > 1 else f"{zones[0]} does not have"
    return (
        f"{quoted(text)}: {lack} {name} at that time; write it without a name for {zones[0]}, "
        f"or with an offset, like {offset}+01:00"
    )
