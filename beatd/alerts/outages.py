"""Outages that explain why runs failed, were late or are missing. One incident about an outage
replaces the incidents about its effects."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from beatd.incident import Incident, IncidentKind

#: The kinds of incidents that are the cause of others.
CAUSES: frozenset[IncidentKind] = frozenset(
    {"nobody leads", "store away", "broker away", "outcomes away"}
)


class Outage(Struct, frozen=True):
    """A period in which runs could not be published, or their outcomes could not be read. `end` is
    None while the outage lasts."""

    kind: IncidentKind
    begin: datetime
    end: datetime | None = None

    def covers(self, moment: datetime, margin: timedelta) -> bool:
        """Return True if the moment is within the outage, or at most `margin` before or after
        it."""
        if moment < self.begin - margin:
            return False
        return self.end is None or moment <= self.end + margin


def outages_in(incidents: Iterable[Incident]) -> list[Outage]:
    """Return one outage for each of these incidents that is about an outage, open or closed."""
    return [
        Outage(one.kind, one.opened, one.closed)
        for one in incidents
        if one.name == "" and one.kind in CAUSES
    ]


def outage_at(outages: Iterable[Outage], moment: datetime, margin: timedelta) -> Outage | None:
    """Return the first outage that covers the moment, with `margin` before and after the outage;
    None if there is no such outage."""
    return next((one for one in outages if one.covers(moment, margin)), None)


def time_away(outages: Sequence[Outage], since: datetime, until: datetime) -> timedelta:
    """Return how much of the time from `since` to `until` is covered by outages. Time that two
    outages cover counts once."""
    total, reached = timedelta(0), since
    for one in sorted(outages, key=lambda outage: outage.begin):
        begin = max(one.begin, reached)
        end = until if one.end is None else min(one.end, until)
        if end > begin:
            total, reached = total + (end - begin), end
    return total
