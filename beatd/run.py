"""Occurrences and runs.

An occurrence is one planned moment of one entry. Its task id is computed from the occurrence and
the store's namespace only. A run is an occurrence on its way to the broker.
"""

from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Literal
from uuid import UUID

from msgspec import Struct

from beatd.entry import Entry

State = Literal["claimed", "published", "skipped", "failed"]
Origin = Literal["planned", "trigger", "backfill", "catch-up", "resend"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Return the microseconds since the Unix epoch, as every store keeps a moment."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(micros: int) -> datetime:
    """Return the moment, aware and in UTC, that is `micros` microseconds after the Unix epoch."""
    return EPOCH + micros * MICROSECOND  # half the time of timedelta(microseconds=…)


class Occurrence(Struct, frozen=True):
    """One planned moment of one entry.

    `request` is the id of the request by hand that it belongs to, or "" if it belongs to the plan.
    """

    name: str
    planned: datetime
    request: str = ""


def task_id(namespace: UUID, occurrence: Occurrence) -> str:
    """Return the task id of the occurrence: a uuid5 in the store's namespace, equal in every
    daemon."""
    text = f"{occurrence.name}\n{micros(occurrence.planned)}\n{occurrence.request}"
    # uuid.uuid5 written out: building the UUID object costs more than the hash.
    digest = bytearray(sha1(namespace.bytes + text.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    plain = digest.hex()
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"


class Run(Struct, frozen=True):
    """An occurrence (one planned moment of one entry) on its way to the broker.

    `entry` and `revision` are those at the time of its claim. `due` is the planned moment plus
    jitter; a run requested by hand has no jitter.
    """

    occurrence: Occurrence
    task_id: str
    entry: Entry
    revision: int
    due: datetime
    expires: datetime | None = None  # the next moment, only with the option `expires: next`
    origin: Origin = "planned"


class Running(Struct, frozen=True):
    """The run of an entry that counts as running: it was claimed at `since`, and its end is not
    known.

    A store keeps one for each entry whose `overlap` is not "allow". After the moment `until` the
    run no longer counts as running, because nobody reported anything about it for too long. `waits`
    is True if the plan of the entry waits for the end of this run.
    """

    task_id: str
    since: datetime
    until: datetime
    waits: bool = False


class Skip(Struct, frozen=True):
    """A stretch of moments of one entry that were not published, kept as one record.

    The stretch has `count` moments, from `planned` to `until`. `at_least` is True if the count
    stopped early, so that `count` is only a lower bound.
    """

    planned: datetime
    until: datetime
    count: int
    reason: str
    at_least: bool = False
