"""The values for one run of an entry: its planned time, its task id and its state.

An occurrence is one planned time of one entry. A run is an occurrence on its way to the broker.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Literal
from uuid import UUID

from msgspec import Struct

from beatd.entry import Entry, Moment

RUN_HEADER = "beatd_run"  # in each message of a canvas: the task id of the run

State = Literal["claimed", "published", "skipped", "failed"]
Origin = Literal["planned", "trigger", "backfill", "catch-up", "resend"]

#: The origins in words, for people.
ORIGIN_WORDS: Mapping[Origin, str] = {
    "planned": "planned",
    "catch-up": "caught up",
    "resend": "tried again",
    "trigger": "by hand",
    "backfill": "backfill",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Return the time in microseconds since 1970, as every store keeps it."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(micros: int) -> datetime:
    """Return the UTC datetime that is `micros` microseconds after the start of 1970."""
    return EPOCH + micros * MICROSECOND  # half the time of timedelta(microseconds=…)


class Occurrence(Struct, frozen=True):
    """One planned time of one entry.

    `request` is the id of the request that an operator made for it, or "" if it is from the plan.
    """

    name: str
    planned: Moment
    request: str = ""


def task_id(namespace: UUID, occurrence: Occurrence) -> str:
    """Return the Celery task id of an occurrence; every daemon computes the same id."""
    text = f"{occurrence.name}\n{micros(occurrence.planned)}\n{occurrence.request}"
    # uuid.uuid5 written out: building the UUID object costs more than the hash.
    digest = bytearray(sha1(namespace.bytes + text.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    plain = digest.hex()
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"


class Run(Struct, frozen=True):
    """A run of an entry on its way to the broker.

    `entry` and `revision` are the entry and its version when the run was reserved for sending.
    `due` is the planned time plus jitter; a run requested by hand has no jitter.
    """

    occurrence: Occurrence
    task_id: str
    entry: Entry
    revision: int
    due: Moment
    expires: Moment | None = None  # the next moment, only with the option `expires: next`
    origin: Origin = "planned"


class Running(Struct, frozen=True):
    """The run of an entry that started at `since` and is not known to have ended.

    A store keeps one for each entry whose `overlap` is not "allow". After `until` the run no longer
    counts as running, because nobody has reported anything about it for too long. `waits` is True
    if the plan of the entry waits for the end of this run.
    """

    task_id: str
    since: Moment
    until: Moment
    waits: bool = False


class Skip(Struct, frozen=True):
    """The record of `count` planned runs of an entry, in a row, that were not published.

    They were planned from `planned` to `until`. `at_least` is True if counting stopped early, so
    that `count` is only a lower bound.
    """

    planned: Moment
    until: Moment
    count: int
    reason: str
    at_least: bool = False
