"""Incidents: problems that last for a time, such as a failing entry, with their begin and end.

An incident is stored once, and opens and closes once: the store refuses a second write. A change of
leader therefore neither repeats a message about an incident nor loses one.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from beatd.entry import Moment

INCIDENTS_PER_WRITE = 500  # of one transaction of a store

IncidentKind = Literal[
    "failed", "late", "missing", "running",
    "nobody leads", "store away", "broker away", "outcomes away", "invalid source",
    "store went back",
]  # fmt: skip


class Incident(Struct, frozen=True, kw_only=True):
    """A problem that lasts for a time, such as an entry that fails or a lost broker.

    `name` is the entry's name, or "" for a problem of beatd as a whole. `opened` distinguishes two
    incidents of the same kind and name. `revision` grows with each change. `announced` and
    `resolved` are when messages about its start and its end were sent; while a daemon sends one,
    other daemons do not until `leased_until`. `flaps` is how often it opened within a day. `trace`
    is the trace id of the run that caused it, or "". `observed` and `threshold` are texts for
    people.
    """

    kind: IncidentKind
    name: str
    opened: Moment
    revision: int = 0
    closed: Moment | None = None
    observed: str = ""
    threshold: str = ""
    cause: str = ""
    announced: Moment | None = None
    resolved: Moment | None = None
    leased_until: Moment | None = None
    flaps: int = 0
    trace: str = ""


class Incidents(Protocol):
    """The part of a store's interface that keeps incidents, which are problems that last for a
    time."""

    def open_incidents(self) -> list[Incident]:
        """Return the incidents that have not ended, or whose end was not announced yet, oldest
        first."""

    def put_incidents(self, incidents: Sequence[Incident]) -> list[bool]:
        """Write incidents in order; return for each True if it was written, else False.

        The store must have the incident at `revision` - 1 or, for a new one with revision 1, no
        open incident of this kind and name. Each transaction writes at most INCIDENTS_PER_WRITE
        incidents. After a StoreError, the first may be written and the others not.
        """

    def incidents(self, name: str | None, limit: int | None) -> Iterator[Incident]:
        """Yield the incidents of the entry `name`, or of all if it is None, the last opened first.

        At most `limit` incidents are yielded; None means all.
        """

    def forget_incidents(self, before: datetime) -> int:
        """Delete the incidents that were closed before `before`; return their number."""


def writes_of(incidents: Sequence[Incident]) -> Iterator[Sequence[Incident]]:
    """Split incidents into groups, each of which a store can write in one transaction.

    A group has at most INCIDENTS_PER_WRITE incidents, and no two of the same kind and name.
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
