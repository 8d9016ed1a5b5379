"""Outages that explain why runs failed, were late or are missing."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from beatd.incident import Incident, IncidentKind

#: The kinds of incidents that are the cause of others, and replace them in messages.
CAUSES: frozenset[IncidentKind] = frozenset(
    {"nobody leads", "store away", "broker away", "outcomes away"}
)


class Outage(Struct, frozen=True):
    """A period in which no run could be published, or no outcome of a run could be read."""

    kind: IncidentKind
    begin: datetime
    end: datetime | None = None  # while the outage lasts

    def covers(self, moment: datetime, margin: timedelta) -> bool:
        """Return True if the moment is in the outage, or at most `margin` before or after it."""
        if moment < self.begin - margin:
            return False
        return self.end is None or moment <= self.end + margin


def outages_in(incidents: Iterable[Incident]) -> list[Outage]:
    """Return an outage for each incident that is about one, such as "broker away"."""
    return [
        Outage(one.kind, one.opened, one.closed)
        for one in incidents
        if one.name == "" and one.kind in CAUSES
    ]


def outage_at(outages: Iterable[Outage], moment: datetime, margin: timedelta) -> Outage | None:
    """Return the first outage that covers the moment, give or take `margin`; None if none does."""
    return next((one for one in outages if one.covers(moment, margin)), None)


def time_away(outages: Sequence[Outage], since: datetime, until: datetime) -> timedelta:
    """Return how much of the time from `since` to `until` outages cover; overlaps count once."""
    total, reached = timedelta(0), since
    for one in sorted(outages, key=lambda outage: outage.begin):
        begin = max(one.begin, reached)
        end = until if one.end is None else min(one.end, until)
        if end > begin:
            total, reached = total + (end - begin), end
    return total
