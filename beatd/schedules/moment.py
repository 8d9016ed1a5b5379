"""Parse and write moments: ISO 8601 text, YAML timestamps, dates."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from beatd.errors import ScheduleError
from beatd.schedules.dst import utc_of
from beatd.schedules.quote import quoted
from beatd.schedules.zone import EPOCH, offsets, zone_name

_WALL_EPOCH = EPOCH.replace(tzinfo=None)
_MAX_CHARS = 64


def parse_moment(value: Any, tz: str | tzinfo = "UTC") -> datetime:
    """Return the UTC moment of text, a datetime or a date.

    Without an offset it is on the wall clock of tz: the first of a time that comes twice, and the
    first instant after the gap for a time that does not exist.
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
    """Return the moment as ISO 8601 in UTC with Z, and with a fraction only if it has one."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def local_moment(value: Any) -> datetime:
    """Return what was written, naive without an offset; a date is its midnight."""
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
