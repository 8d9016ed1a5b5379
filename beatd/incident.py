"""Incidents: what is wrong for a time, kept in the store so that all daemons see one and the same.

An incident opens once and closes once, by compare-and-set, so that a change of leader neither
repeats a message nor loses it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

IncidentKind = Literal[
    "failed", "late", "missing", "running",
    "nobody leads", "store away", "broker away", "outcomes away", "invalid source",
    "store went back",
]  # fmt: skip


class Incident(Struct, frozen=True, kw_only=True):
    """Something wrong with one entry, or with the whole (`name` is "" then).

    `opened` tells two incidents of the same kind and entry apart. `revision` grows with each
    change. `observed` and `threshold` are texts for people. `announced` and `resolved` are the
    times when the messages about its opening and its end were sent; `leased_until` is set while a
    daemon sends one. `flaps` counts how often it opened within a day.
    """

    kind: IncidentKind
    name: str
    opened: datetime
    revision: int = 0
    closed: datetime | None = None
    observed: str = ""
    threshold: str = ""
    cause: str = ""
    announced: datetime | None = None
    resolved: datetime | None = None
    leased_until: datetime | None = None
    flaps: int = 0


class Incidents(Protocol):
    """The part of a store that keeps incidents."""

    def open_incidents(self) -> list[Incident]:
        """Return the incidents that are open, or whose end was not announced yet, oldest first."""

    def put_incident(self, incident: Incident) -> bool:
        """Write an incident, and return True if it was written.

        It is written only if the store has the incident of this kind, name and `opened` at the
        revision before (`incident.revision` - 1; revision 1: the store has no open incident of this
        kind and name).
        """

    def incidents(self, name: str | None, limit: int | None) -> Iterator[Incident]:
        """Yield incidents, open and closed, the last opened first; `name` limits them to one
        entry."""

    def forget_incidents(self, before: datetime) -> int:
        """Delete the incidents that were closed before `before`; return their number."""
