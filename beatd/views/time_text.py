"""Parse and format times and durations for the command line."""

from collections.abc import Sequence
from datetime import datetime, timedelta


def read_moment(
    option: str,
    text: str,
    tz: str,
    now: datetime,
    *,
    coming: bool = False,
    also: Sequence[str] = (),
) -> datetime:
    """Parse the time that a command-line option such as --from has as its value.

    A time without an offset is in the zone `tz`. A time of day such as "14:30" is the newest such
    moment or, if `coming`, the next one. The name of an offset, such as CET, is read if `tz` or a
    zone of `also` has it at that time. Raises ConfigError with the name of the option if the text
    is invalid.
    """
    from beatd.errors import ConfigError
    from beatd.schedules.typed_moment import typed_moment

    try:
        return typed_moment(text, tz, now, coming=coming, also=also)
    except ConfigError as error:
        raise ConfigError(f"{option}: {error}") from None


def read_moment_or_length(option: str, text: str, tz: str, now: datetime) -> datetime:
    """Parse an option such as --since: a time, or a duration such as "10m" that counts back from
    `now`.

    A time without an offset is in the zone `tz`, and a time of day is the newest one. Raises
    ConfigError with the name of the option if the text is neither, or if the duration is too long.
    """
    from beatd.errors import ConfigError
    from beatd.schedules.duration import parse_duration
    from beatd.schedules.typed_moment import typed_moment

    try:
        return typed_moment(text, tz, now, coming=False)
    except ConfigError as error:
        why = error
    try:
        length = parse_duration(text)
    except ConfigError:
        raise ConfigError(f"{option}: {why}; or a length back from now, like 10m") from None
    try:
        return now - length
    except OverflowError:
        raise ConfigError(f"{option}: {text!r} is too long; give a shorter length") from None


def moment_text(moment: datetime, tz: str, digits: int = 0) -> str:
    """Format a time in the zone `tz`, such as "2027-01-01 09:00:00 CET".

    `digits` is how many digits of a second there are at least: 0, 3 or 6.
    """
    from beatd.schedules import zone
    from beatd.schedules.moment import in_zone, wall_text

    local = in_zone(moment, zone(tz))
    return f"{wall_text(local, digits)} {local:%Z}"


def short_moment_text(moment: datetime, tz: str, now: datetime) -> str:
    """Format a time in the zone `tz` without its year, such as "01-31 09:00:00".

    The year is added if it is not that of `now`, and the name of the offset if the time comes twice
    on that day. Fractions of a second are left out.
    """
    from beatd.schedules import zone
    from beatd.schedules.moment import in_zone

    local, today = in_zone(moment, zone(tz)), in_zone(now, zone(tz))
    year = "" if local.year == today.year else f"{local:%Y}-"
    is_twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    return f"{year}{local:%m-%d %H:%M:%S}{f' {local:%Z}' if is_twice else ''}"


def distance_text(length: timedelta) -> str:
    """Format a duration as a time relative to now, such as "in 3 h 12 min", "now" or "5 s ago".

    A negative `length` is in the past.
    """
    from beatd.schedules.duration import length_text

    seconds = length / timedelta(seconds=1)
    if abs(seconds) < 1:
        return "now" if abs(seconds) < 0.001 else _signed(seconds, f"{abs(seconds):.2f} s")
    return _signed(seconds, length_text(seconds))


def _signed(seconds: float, text: str) -> str:
    return f"in {text}" if seconds > 0 else f"{text} ago"
