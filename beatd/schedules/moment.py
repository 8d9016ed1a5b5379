"""Parse and write dates and times, such as 2027-01-01T09:00:00Z."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from beatd.errors import ScheduleError
from beatd.schedules.dst import utc_of
from beatd.schedules.quote import quoted
from beatd.schedules.zone import EPOCH, offsets, zone_name

_WALL_EPOCH = EPOCH.replace(tzinfo=None)
_MAX_CHARS = 64


def parse_moment(value: Any, tz: str | tzinfo = "UTC") -> datetime:
    """Return the UTC time for an ISO 8601 text, a datetime or a date.

    `tz` is the zone of a value without a UTC offset. If the clock of the zone shows the time twice,
    the earlier one is returned. If it skips the time, the first instant after the gap is returned.
    Raises ScheduleError if the value is not a date or time of the years 1 to 9999.
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
    """Return the time as ISO 8601 text in UTC, such as "2027-01-01T09:00:00Z"."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def wall_text(local: datetime, digits: int = 0) -> str:
    """Return date and time of a clock: "2027-01-01 09:00:00", ".500" added for half a second.

    A fraction has three digits, or six if it needs them, and there is none for a whole second. With
    `digits` 3 or 6 there are at least as many, so that the times of a column are equally long.
    """
    digits = max(digits, fraction_digits([local]))
    spec = {0: "seconds", 3: "milliseconds", 6: "microseconds"}[digits]
    return local.replace(tzinfo=None).isoformat(" ", spec)


def fraction_digits(moments: Iterable[datetime]) -> int:
    """Return how many digits the fractions of these moments need: 0, 3 or 6."""
    digits = 0
    for moment in moments:
        if moment.microsecond:
            digits = max(digits, 6 if moment.microsecond % 1000 else 3)
    return digits


def to_milliseconds(moment: datetime) -> datetime:
    """Return the moment without its microseconds."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def in_zone(moment: datetime, home: tzinfo) -> datetime:
    """Return the moment with the time of the zone `home`.

    Return it in UTC if that time is not in the years 1 to 9999, as in the last hours of 9999.
    """
    try:
        return moment.astimezone(home)
    except OverflowError:
        return moment.astimezone(UTC)


def local_moment(value: Any) -> datetime:
    """Return the datetime for an ISO 8601 text, a datetime or a date.

    A date means its midnight. The result has no zone if the value has no UTC offset. Raises
    ScheduleError if the value is not a date or time.
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
