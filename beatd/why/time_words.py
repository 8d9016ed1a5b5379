"""Write moments, lengths of time and numbers of things in sentences."""

from datetime import datetime, timedelta, tzinfo

from beatd.schedules.duration import length_text


class TimeWords:
    """Writes moments in the time zone `home`."""

    def __init__(self, home: tzinfo) -> None:
        self._home = home

    def at(self, moment: datetime) -> str:
        """Return a moment exactly, such as "2026-11-28 02:30:00 CET"."""
        local = moment.astimezone(self._home)
        fraction = f"{local:.%f}".rstrip("0").rstrip(".") if local.microsecond else ""
        return f"{local:%Y-%m-%d %H:%M:%S}{fraction} {local:%Z}"

    def about(self, moment: datetime) -> str:
        """Return a moment as `at` does, cut to milliseconds."""
        return self.at(moment.replace(microsecond=moment.microsecond // 1000 * 1000))


def length(time: timedelta) -> str:
    """Return a length of time as text. A length below one second is written as one second."""
    return length_text(max(1.0, time.total_seconds()))


def runtime(seconds: float) -> str:
    """Return the length of a run as text: "0.4 ms", "12 ms", "3.4 s" or "3 h 12 min"."""
    if seconds < 1:
        return f"{seconds * 1000:.{1 if seconds < 0.01 else 0}f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else length_text(seconds)


def counted(number: int, thing: str) -> str:
    """Return a number with its thing: "1 message", "3 messages"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
