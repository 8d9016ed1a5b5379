"""Encode and decode next runs, reserved runs, requests and history records as texts for Redis.

The fields are separated by tabs. The texts are short and readable in redis-cli, and a script can
compare them by their beginning. A moment is a number of microseconds since 1970; None is "".
"""

import re
from datetime import datetime
from functools import lru_cache

from beatd.catalog import Plan, Progress
from beatd.history import Record
from beatd.ledger import Request
from beatd.run import EPOCH, MICROSECOND, Occurrence, Running, Skip, State, moment_of

_STREAM_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")
ENABLED = b"e"  # the flags of an entry that is neither paused nor disabled
STATES: dict[bytes, State] = {b"P": "published", b"S": "skipped", b"F": "failed"}


@lru_cache(4096)  # many entries are due at the same moment
def text_of(moment: datetime | None) -> str:
    """Encode a time as text in microseconds since 1970, or None as ""."""
    return "" if moment is None else str((moment - EPOCH) // MICROSECOND)


def moment_in(text: bytes) -> datetime | None:
    return moment_of(int(text)) if text else None


def is_stream_id(text: str) -> bool:
    """Return True if Redis accepts the text as the id of an element in a stream."""
    found = _STREAM_ID.fullmatch(text)
    return found is not None and all(int(number) < 2**64 for number in found.groups())


def one_field(text: str) -> str:
    """Replace each sequence of white space in a text by one space, if it contains tabs or line
    breaks.

    Other texts are returned unchanged.
    """
    return " ".join(text.split()) if "\t" in text or "\n" in text else text


class Row:
    """The next run of an entry with the entry's revision and state, decoded from its text in Redis.

    Its fields are planned, revision, flags, runs, last, due, fingerprint and rules, with tabs
    between them. A damaged text raises an exception.
    """

    __slots__ = ("last", "paused", "plan", "revision", "runs")

    def __init__(self, text: bytes) -> None:
        planned, revision, flags, runs, last, due, mark, rules = text.split(b"\t")
        moment = moment_in(planned)
        # A paused or disabled entry is never due, and keeps its planned moment.
        due_moment = None if flags != ENABLED else moment_of(int(due)) if due else moment
        self.plan = Plan(moment, due_moment, mark.decode(), rules.decode())
        self.revision, self.runs = int(revision), int(runs)
        self.paused = b"p" in flags
        self.last = moment_in(last)


def flags_of(*, enabled: bool, paused: bool) -> str:
    """Encode the state of an entry: "e" for enabled or "d" for disabled, and then "p" if paused."""
    return ("e" if enabled else "d") + ("p" if paused else "")


def progress_text(progress: Progress) -> str:
    """Encode the progress of an entry as text: its next run, its number of runs and its last
    run."""
    return f"{text_of(progress.planned)}\t{progress.runs}\t{text_of(progress.last)}"


def due_of(plan: Plan) -> str:
    """Encode when to send the next run of an entry as text.

    It is "" if there is no next run, or if the time is the planned one, without jitter.
    """
    return "" if plan.due == plan.planned else text_of(plan.due)


def closes(occurrence: Occurrence) -> str:
    """Return the Redis key of a reserved run, such as "1700000000000000:" for a planned one.

    It is the planned moment in microseconds since 1970, and the id of a request by hand, if any.
    """
    return f"{text_of(occurrence.planned)}:{occurrence.request}"


def occurrence_of(key: bytes) -> Occurrence:
    """Decode the entry, planned time and request id of a reserved run from its Redis key.

    Raise ValueError if the key is damaged.
    """
    planned, request, name = key.decode().split(":", 2)
    return Occurrence(name, moment_of(int(planned)), request)


def request_text(request: Request) -> str:
    first, last = text_of(request.first), text_of(request.last)
    return f"{first}\t{last}\t{request.kind}\t{request.revision}\t{request.name}"


def request_of(id: bytes, text: bytes) -> Request:
    first, last, kind, revision, name = text.decode().split("\t", 4)
    return Request(
        id.decode(),
        name,
        kind,  # type: ignore[arg-type]  # written by `request_text`
        moment_of(int(first)),
        moment_of(int(last)),
        int(revision),
    )


def skipped(skip: Skip, task_id: str) -> str:
    """Encode the history record of a series of skipped runs.

    `task_id` is that of a reserved run that is skipped, or "".
    """
    until = text_of(skip.until) if skip.until > skip.planned else ""
    at_least = "1" if skip.at_least else ""
    reason = one_field(skip.reason)
    return f"{text_of(skip.planned)}\t{until}\t{skip.count}\t{at_least}\t\t\t{task_id}\t{reason}"


def published(at: int, due: int, task_id: str) -> str:
    """Encode the history record of a published run; `at` and `due` are in microseconds since
    1970."""
    return f"\t\t1\t\t{at}\t{at - due}\t{task_id}\t"


def failed(task_id: str, reason: str) -> str:
    return f"\t\t1\t\t\t\t{task_id}\t{one_field(reason)}"


def record_text(record: Record) -> str:
    """Encode the history record of a published, failed or skipped run.

    A run that is only reserved (state "claimed") has no such text.
    """
    late = "" if record.late is None else str(round(record.late * 1_000_000))
    fields = (
        text_of(record.planned),
        text_of(record.until),
        str(record.count),
        "1" if record.at_least else "",
        text_of(record.published),
        late,
        record.task_id,
        one_field(record.reason),
    )
    return "\t".join(fields)


def record_of(fields: list[bytes]) -> Record:
    """Decode a history record from an element of the Redis stream. Damage raises an exception.

    `fields` has the names and values of the element in turn.
    """
    name, closed, state, term, body = fields[1], fields[5], fields[7], fields[9], fields[11]
    origin = fields[13].decode() if len(fields) > 13 else "planned"
    planned, until, count, at_least, at, late, task_id, reason = body.split(b"\t", 7)
    return Record(
        name=name.decode(),
        planned=moment_of(int(planned or closed.split(b":", 1)[0])),
        state=STATES[state],
        reason=reason.decode(),
        task_id=task_id.decode(),
        published=moment_in(at),
        late=int(late) / 1_000_000 if late else None,
        until=moment_in(until),
        count=int(count),
        at_least=bool(at_least),
        term=int(term),
        origin=origin,  # type: ignore[arg-type]  # written from an Origin
    )


def claimed_of(key: bytes, text: bytes, origin: bytes | None) -> tuple[datetime, Record]:
    """Decode a reserved run: return when it was reserved, and a history record with state
    "claimed".

    `origin` is why it exists; None means "planned". A damaged text raises an exception.
    """
    at, term, _, task_id, _, _ = text.split(b"\t")
    occurrence = occurrence_of(key)
    record = Record(
        occurrence.name,
        occurrence.planned,
        "claimed",
        "",
        task_id.decode(),
        term=int(term),
        origin=origin.decode() if origin else "planned",  # type: ignore[arg-type]
    )
    return moment_of(int(at)), record


def running_of(text: bytes) -> Running:
    since, until, waits, task_id = text.split(b"\t")
    return Running(task_id.decode(), moment_of(int(since)), moment_of(int(until)), waits == b"1")


def running_text(running: Running) -> str:
    waits = "1" if running.waits else ""
    return f"{text_of(running.since)}\t{text_of(running.until)}\t{waits}\t{running.task_id}"
