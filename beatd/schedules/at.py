"""The schedule `at`: one moment."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from beatd.errors import ScheduleError
from beatd.schedules.moment import parse_moment
from beatd.schedules.quote import quoted


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """A schedule with one moment."""

    moment: datetime
    written: str

    @property
    def period(self) -> None:
        return None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the moment if it is strictly after the given one, else None."""
        if moment.tzinfo is None:
            raise ScheduleError(
                f"{quoted(moment)} has no time zone; a moment needs one, like datetime.now(UTC)"
            )
        return self.moment if self.moment > moment else None

    def plain(self) -> dict[str, Any]:
        """Return the schedule as it was written: {"at": ISO text}."""
        return {"at": self.written}

    def __hash__(self) -> int:
        return hash(self.moment)

    def __eq__(self, other: object) -> bool:
        return self.moment == other.moment if isinstance(other, At) else NotImplemented


def at(moment: str | date | datetime, *, tz: str | tzinfo = "UTC") -> At:
    """Return the schedule of one moment; without an offset it is on the wall clock of tz."""
    written = moment.isoformat() if isinstance(moment, date) else moment
    return At(parse_moment(moment, tz), written)
