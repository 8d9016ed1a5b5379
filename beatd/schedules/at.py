"""The schedule `at`, which runs once, at one moment."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from beatd.schedules.dst import no_zone
from beatd.schedules.moment import parse_moment


@dataclass(frozen=True, slots=True, eq=False)
class At:
    """A schedule that runs once, at `moment` (UTC); `written` is its text in the configuration."""

    moment: datetime
    written: str

    @property
    def period(self) -> None:
        return None

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the schedule's moment if it is strictly after the given moment, else None."""
        if moment.tzinfo is None:
            raise no_zone(moment)
        return self.moment if self.moment > moment else None

    def plain(self) -> dict[str, Any]:
        """Return the schedule as it was written: {"at": ISO text}."""
        return {"at": self.written}

    def __hash__(self) -> int:
        return hash(self.moment)

    def __eq__(self, other: object) -> bool:
        return self.moment == other.moment if isinstance(other, At) else NotImplemented


def at(moment: str | date | datetime, *, tz: str | tzinfo = "UTC") -> At:
    """Return a schedule that runs once; a moment without an offset is on the wall clock of `tz`."""
    written = moment.isoformat() if isinstance(moment, date) else moment
    return At(parse_moment(moment, tz), written)
