"""Read and print moments and durations on the command line."""

from datetime import datetime, timedelta


def read_moment(option: str, text: str, tz: str) -> datetime:
    """Parse the moment of an option such as --from; without an offset it is in the zone `tz`.

    Raises ConfigError with the name of the option if the text is wrong.
    """
    from beatd.errors import ConfigError
    from beatd.schedules import parse_moment

    try:
        return parse_moment(text, tz)
    except ConfigError as error:
        raise ConfigError(f"{option}: {error}") from None


def moment_text(moment: datetime, tz: str) -> str:
    """Return the moment as local time of the zone `tz`, such as "2027-01-01 09:00:00 CET"."""
    from beatd.schedules import zone

    local = moment.astimezone(zone(tz))
    spec = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    wall = local.replace(tzinfo=None).isoformat(" ", spec if moment.microsecond else "seconds")
    return f"{wall} {local:%Z}"


def lateness_text(seconds: float) -> str:
    """Return a duration as text: "3.214 s" below a minute, else like "3 h 12 min"."""
    if seconds < 60:
        return f"{seconds:.3f} s"
    from beatd.schedules.duration import length_text

    return length_text(seconds)


def distance_text(length: timedelta) -> str:
    """Return a time relative to now as text: "in 3 h 12 min", "now" or "5 s ago".

    A negative `length` is in the past.
    """
    from beatd.schedules.duration import length_text

    seconds = length / timedelta(seconds=1)
    if abs(seconds) < 1:
        return "now" if abs(seconds) < 0.001 else _signed(seconds, f"{abs(seconds):.2f} s")
    return _signed(seconds, length_text(seconds))


def _signed(seconds: float, text: str) -> str:
    return f"in {text}" if seconds > 0 else f"{text} ago"
