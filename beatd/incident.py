"""Incidents: what is wrong for a time, kept in the store so that all daemons see one and the same.

An incident opens once and closes once, by compare-and-set, so that a change of leader neither
repeats a message nor loses it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

INCIDENTS_PER_WRITE = 500  # of one transaction of a store

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
    daemon sends one. `flaps` counts how often it opened within a day. `trace` is
    the trace id of the run that is meant, if it has one.
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
    trace: str = ""


class Incidents(Protocol):
    """The part of a store that keeps incidents."""

    def open_incidents(self) -> list[Incident]:
        """Return the incidents that are open, or whose end was not announced yet, oldest first."""

    def put_incidents(self, incidents: Sequence[Incident]) -> list[bool]:
        """Write incidents, and return for each whether it was written.

        An incident is written only if the store has the incident of this kind, name and `opened` at
        the revision before (`incident.revision` - 1; revision 1: the store has no open incident of
        this kind and name). They are written in their order, INCIDENTS_PER_WRITE or fewer at once:
        if StoreError is raised, the first of them may be written and the others not.
        """

    def incidents(self, name: str | None, limit: int | None) -> Iterator[Incident]:
        """Yield incidents, open and closed, the last opened first; `name` limits them to one
        entry."""

    def forget_incidents(self, before: datetime) -> int:
        """Delete the incidents that were closed before `before`; return their number."""


def writes_of(incidents: Sequence[Incident]) -> Iterator[Sequence[Incident]]:
    """Yield the incidents in their order, in parts that a store writes at once: none has two of the
    same kind and name."""
    part: dict[tuple[str, str], Incident] = {}
    for one in incidents:
        key = (one.kind, one.name)
        if key in part or len(part) == INCIDENTS_PER_WRITE:
            yield list(part.values())
            part = {}
        part[key] = one
    if part:
        yield list(part.values())
