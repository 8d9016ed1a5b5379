"""Incidents: problems that last for a time, stored once so that all daemons see the same ones.

An incident opens once and closes once, by compare-and-set in the store. A change of leader
therefore neither repeats a message about an incident nor loses one.
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
    """One problem of one entry or, if `name` is "", of beatd as a whole.

    `opened` distinguishes two incidents of the same kind and entry. `revision` grows with each
    change. `observed` and `threshold` are texts for people. `announced` and `resolved` are the
    times when the messages about its opening and its end were sent. While a daemon sends such a
    message, `leased_until` is the moment until which other daemons do not send it. `flaps` is the
    number of times that it opened within a day. `trace` is the trace id of the run that caused it,
    or "".
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
        """Return the incidents that are open or whose end was not announced yet, oldest first."""

    def put_incidents(self, incidents: Sequence[Incident]) -> list[bool]:
        """Write incidents in their order, and return for each of them True if it was written.

        An incident is written only if the store has the same incident (kind, name and `opened`) at
        `incident.revision` - 1. With revision 1, it is written only if the store has no open
        incident of this kind and name. Each transaction writes at most INCIDENTS_PER_WRITE
        incidents. After a StoreError, the first of them may be written and the others not.
        """

    def incidents(self, name: str | None, limit: int | None) -> Iterator[Incident]:
        """Yield up to `limit` incidents, open and closed, the last opened first.

        If `name` is given, yield only incidents of this entry.
        """

    def forget_incidents(self, before: datetime) -> int:
        """Delete the incidents that were closed before `before`; return their number."""


def writes_of(incidents: Sequence[Incident]) -> Iterator[Sequence[Incident]]:
    """Yield the incidents in their order, in parts that a store writes in one transaction.

    A part has at most INCIDENTS_PER_WRITE incidents, and no two of the same kind and name.
    """
    part: dict[tuple[str, str], Incident] = {}
    for one in incidents:
        key = (one.kind, one.name)
        if key in part or len(part) == INCIDENTS_PER_WRITE:
            yield list(part.values())
            part = {}
        part[key] = one
    if part:
        yield list(part.values())
