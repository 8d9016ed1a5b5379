"""Read and format moments and lengths of time for the command line."""

from datetime import datetime, timedelta


def read_moment(option: str, text: str, tz: str) -> datetime:
    """Return the moment that `text` means, on the wall clock of `tz` if it has no offset.

    `option` is the name of the option, such as --from, for the ConfigError that a wrong text
    raises.
    """
    from beatd.errors import ConfigError
    from beatd.schedules import parse_moment

    try:
        return parse_moment(text, tz)
    except ConfigError as error:
        raise ConfigError(f"{option}: {error}") from None


def moment_text(moment: datetime, tz: str) -> str:
    """Return a moment as text on the wall clock of the zone `tz`, with any fraction of a second."""
    from beatd.schedules import zone

    local = moment.astimezone(zone(tz))
    spec = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    wall = local.replace(tzinfo=None).isoformat(" ", spec if moment.microsecond else "seconds")
    return f"{wall} {local:%Z}"


def lateness_text(seconds: float) -> str:
    """Return seconds as text, to the millisecond below a minute and else like "3 h 12 min"."""
    if seconds < 60:
        return f"{seconds:.3f} s"
    from beatd.schedules.duration import length_text

    return length_text(seconds)


def distance_text(length: timedelta) -> str:
    """Return the distance from now to a moment as text: "in 3 h 12 min", "now" or "5 s ago".

    A negative `length` is in the past.
    """
    from beatd.schedules.duration import length_text

    seconds = length / timedelta(seconds=1)
    if abs(seconds) < 1:
        return "now" if abs(seconds) < 0.001 else _signed(seconds, f"{abs(seconds):.2f} s")
    return _signed(seconds, length_text(seconds))


def _signed(seconds: float, text: str) -> str:
    return f"in {text}" if seconds > 0 else f"{text} ago"
