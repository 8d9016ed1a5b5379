"""The schedule `at`, which runs a task once, at one date and time."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from beatd.schedules.dst import no_zone
from beatd.schedules.moment import parse_moment


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """A schedule that runs only once, at `moment` in UTC.

    `written` is the moment as the configuration has it.
    """

    moment: datetime
    written: str

    @property
    def period(self) -> None:
        return None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the schedule's only run if it is after `moment`, else None.

        Raises ScheduleError if `moment` has no time zone.
        """
        if moment.tzinfo is None:
            raise no_zone(moment)
        return self.moment if self.moment > moment else None

    def plain(self) -> dict[str, Any]:
        """Return the schedule as YAML writes it, such as {"at": "2027-01-01T09:00:00Z"}."""
        return {"at": self.written}

    def __hash__(self) -> int:
        return hash(self.moment)

    def __eq__(self, other: object) -> bool:
        return self.moment == other.moment if isinstance(other, At) else NotImplemented


def at(moment: str | date | datetime, *, tz: str | tzinfo = "UTC") -> At:
    """Return a schedule that runs only once, at `moment`.

    `tz` is the time zone of a moment without a UTC offset. Raises ScheduleError if `moment` is not
    a date or time.
    """
    written = moment.isoformat() if isinstance(moment, date) else moment
    return At(parse_moment(moment, tz), written)
