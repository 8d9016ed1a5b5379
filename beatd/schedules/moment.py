"""Parse and write moments, from ISO 8601 text, YAML timestamps and dates."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from beatd.errors import ScheduleError
from beatd.schedules.dst import utc_of
from beatd.schedules.quote import quoted
from beatd.schedules.zone import EPOCH, offsets, zone_name

_WALL_EPOCH = EPOCH.replace(tzinfo=None)
_MAX_CHARS = 64


def parse_moment(value: Any, tz: str | tzinfo = "UTC") -> datetime:
    """Return the UTC moment for a text, a datetime or a date.

    A value without an offset is on the wall clock of the zone `tz`. If the clock shows this time
    twice, the result is the earlier moment. If the clock skips this time, the result is the first
    instant after the gap. Raises ScheduleError if the value is not a moment, or if it is outside
    the years 1 to 9999.
    """
    local = local_moment(value)
    try:
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        since = local - _WALL_EPOCH
        wall = since.days * 86400 + since.seconds
        second = utc_of(offsets(zone_name(tz)), wall)
        # In a gap the first instant after it is a whole second: fractions are of a missing time.
        exists = second + offsets(zone_name(tz)).off[offsets(zone_name(tz)).index(second)] == wall
        return EPOCH + timedelta(0, second, since.microseconds if exists else 0)
    except OverflowError:
        raise ScheduleError(f"{quoted(value)} is outside the years 1 to 9999 in UTC") from None


def format_moment(moment: datetime) -> str:
    """Return the moment as ISO 8601 text in UTC, ending in Z; a fraction of 0 is left out."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local_moment(value: Any) -> datetime:
    """Return the datetime for a text, a datetime or a date; a date means its midnight.

    The result is naive (has no zone) if the value has no offset. Raises ScheduleError if the value
    is not a moment.
    """
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    if isinstance(value, str) and value.isascii() and len(value) <= _MAX_CHARS:
        try:
            return datetime.fromisoformat(value.strip())
        except ValueError:
            pass
    raise ScheduleError(
        f"{quoted(value)} is not a moment; write it like 2027-01-01T09:00:00+08:00 (ISO 8601)"
    )
