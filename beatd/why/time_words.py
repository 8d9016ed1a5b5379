"""Write moments, durations and counts in the answers of `beatd why`."""

from datetime import datetime, timedelta, tzinfo

from beatd.history import Record
from beatd.schedules.duration import length_text
from beatd.schedules.duration import runtime as runtime  # the answers and the pages show it
from beatd.schedules.moment import in_zone, to_milliseconds, wall_text


class TimeWords:
    """Formats moments in the time zone `home`."""

    def __init__(self, home: tzinfo) -> None:
        self._home = home

    def at(self, moment: datetime) -> str:
        """Return the moment as text, such as "2026-11-28 02:30:00.250 CET"."""
        local = in_zone(moment, self._home)
        return f"{wall_text(local)} {local:%Z}"

    def about(self, moment: datetime) -> str:
        """Return the moment as text, cut to milliseconds: "2026-11-28 02:30:00.123 CET"."""
        return self.at(to_milliseconds(moment))


def moment_of_run(record: Record, words: TimeWords) -> tuple[str, str]:
    """Return the heading and the text of a run's moment: when it was planned or requested.

    A run that `beatd trigger` requested has no plan; its moment is that of the request.
    """
    if record.origin == "trigger":
        return "requested", words.about(record.planned)
    return "planned", words.at(record.planned)


def is_by_hand(record: Record) -> bool:
    """Return True if somebody asked for the run, so that it is no run of the schedule."""
    return record.origin in ("trigger", "backfill")


def length(time: timedelta) -> str:
    """Return a duration as text, such as "3 h 12 min"; it is at least one second."""
    return length_text(max(1.0, time.total_seconds()))


def counted(number: int, thing: str) -> str:
    """Return the number with its noun, such as "1 message" or "3 messages"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
