"""Outages that explain why runs failed, were late or are missing, so that one incident about the
cause stands for all its effects."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from beatd.incident import Incident, IncidentKind

#: The kinds of incidents that are the cause of others.
CAUSES: frozenset[IncidentKind] = frozenset(
    {"nobody leads", "store away", "broker away", "outcomes away"}
)


class Outage(Struct, frozen=True):
    """A time in which runs could not be published, or their outcomes not be read; `end` is None
    while it lasts."""

    kind: IncidentKind
    begin: datetime
    end: datetime | None = None

    def covers(self, moment: datetime, margin: timedelta) -> bool:
        """Return True if the moment lies within the outage, or within `margin` of it."""
        if moment < self.begin - margin:
            return False
        return self.end is None or moment <= self.end + margin


def outages_in(incidents: Iterable[Incident]) -> list[Outage]:
    """Return the outages that these incidents, open or closed, are about."""
    return [
        Outage(one.kind, one.opened, one.closed)
        for one in incidents
        if one.name == "" and one.kind in CAUSES
    ]


def outage_at(outages: Iterable[Outage], moment: datetime, margin: timedelta) -> Outage | None:
    """Return an outage that covers the moment, with `margin` on both sides; None without one."""
    return next((one for one in outages if one.covers(moment, margin)), None)


def time_away(outages: Sequence[Outage], since: datetime, until: datetime) -> timedelta:
    """Return how much of the time from `since` to `until` lies within outages; time in two of them
    counts once."""
    total, reached = timedelta(0), since
    for one in sorted(outages, key=lambda outage: outage.begin):
        begin = max(one.begin, reached)
        end = until if one.end is None else min(one.end, until)
        if end > begin:
            total, reached = total + (end - begin), end
    return total
