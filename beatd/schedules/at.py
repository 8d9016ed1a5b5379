"""The schedule `at`, which runs once at one moment."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from beatd.schedules.dst import no_zone
from beatd.schedules.moment import parse_moment


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """A schedule that runs once, at `moment` (in UTC).

    `written` is the text of the moment in the configuration.
    """

    moment: datetime
    written: str

    @property
    def period(self) -> None:
        """Return None, because only an `every` schedule has a period."""
        return None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the only run of the schedule if it is strictly after `moment`, else None.

        Raises ScheduleError if `moment` has no time zone.
        """
        if moment.tzinfo is None:
            raise no_zone(moment)
        return self.moment if self.moment > moment else None

    def plain(self) -> dict[str, Any]:
        """Return the mapping for a configuration: {"at": text}, with the text as written."""
        return {"at": self.written}

    def __hash__(self) -> int:
        return hash(self.moment)

    def __eq__(self, other: object) -> bool:
        return self.moment == other.moment if isinstance(other, At) else NotImplemented


def at(moment: str | date | datetime, *, tz: str | tzinfo = "UTC") -> At:
    """Return a schedule that runs once, at `moment`.

    A moment without an offset is a time on the wall clock of the zone `tz`. Raises ScheduleError if
    `moment` is not a moment.
    """
    written = moment.isoformat() if isinstance(moment, date) else moment
    return At(parse_moment(moment, tz), written)
