"""Moments and lengths of time, as commands read and print them."""

from datetime import datetime, timedelta


def read_moment(option: str, text: str, tz: str) -> datetime:
    """Return the moment that an option gives; without an offset it is on the wall clock of tz.

    Raises ConfigError with the name of the option.
    """
    from beatd.errors import ConfigError
    from beatd.schedules import parse_moment

    try:
        return parse_moment(text, tz)
    except ConfigError as error:
        raise ConfigError(f"{option}: {error}") from None


def moment_text(moment: datetime, tz: str) -> str:
    """Return a moment on the wall clock of tz, with its fraction of a second if it has one."""
    from beatd.schedules import zone

    local = moment.astimezone(zone(tz))
    spec = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    wall = local.replace(tzinfo=None).isoformat(" ", spec if moment.microsecond else "seconds")
    return f"{wall} {local:%Z}"


def lateness_text(seconds: float) -> str:
    """Return seconds to the millisecond, or from a minute on like `length_text`."""
    if seconds < 60:
        return f"{seconds:.3f} s"
    return length_text(seconds)


def length_text(seconds: float) -> str:
    """Return a length in its two largest units: 3 h 12 min."""
    left, parts = int(abs(seconds)), []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def distance_text(length: timedelta) -> str:
    """Return how far away a moment is: in 3 h 12 min, now, or 5 s ago."""
    seconds = length / timedelta(seconds=1)
    if abs(seconds) < 1:
        return "now" if abs(seconds) < 0.001 else _signed(seconds, f"{abs(seconds):.2f} s")
    return _signed(seconds, length_text(seconds))


def _signed(seconds: float, text: str) -> str:
    return f"in {text}" if seconds > 0 else f"{text} ago"
