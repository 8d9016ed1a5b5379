"""How rows, claims, requests and lines of history are written down in Redis: text between tabs.

Short, readable in redis-cli, and comparable in a script by its beginning alone. Moments are whole
microseconds, nothing is the empty string.
"""

from datetime import datetime
from functools import lru_cache

from beatd.catalog import Plan, Progress
from beatd.ledger import Record, Request
from beatd.run import EPOCH, MICROSECOND, Occurrence, Skip, State, moment_of

STATES: dict[bytes, State] = {b"P": "published", b"S": "skipped", b"F": "failed"}


@lru_cache(4096)  # a herd shares its moments
def text_of(moment: datetime | None) -> str:
    return "" if moment is None else str((moment - EPOCH) // MICROSECOND)


def moment_in(text: bytes) -> datetime | None:
    return moment_of(int(text)) if text else None


def one_field(text: str) -> str:
    """What was given by others, without what parts the fields."""
    return " ".join(text.split()) if "\t" in text or "\n" in text else text


class Row:
    """planned, revision, flags | runs, last | due, fingerprint, rules; `due` is left out where it
    is the planned moment."""

    __slots__ = ("last", "paused", "plan", "revision", "runs")

    def __init__(self, text: bytes) -> None:
        planned, revision, flags, runs, last, due, mark, rules = text.split(b"\t")
        moment = moment_in(planned)
        # Paused or disabled it is never due, and keeps the moment it had reached.
        due_moment = None if flags != b"e" else moment_of(int(due)) if due else moment
        self.plan = Plan(moment, due_moment, mark.decode(), rules.decode())
        self.revision, self.runs = int(revision), int(runs)
        self.paused = b"p" in flags
        self.last = moment_in(last)


def flags_of(*, enabled: bool, paused: bool) -> str:
    return ("e" if enabled else "d") + ("p" if paused else "")


def progress_text(progress: Progress) -> str:
    return f"{text_of(progress.planned)}\t{progress.runs}\t{text_of(progress.last)}"


def due_of(plan: Plan) -> str:
    return "" if plan.due == plan.planned else text_of(plan.due)


def closes(occurrence: Occurrence) -> str:
    """What a claim is known by among those of its entry."""
    return f"{text_of(occurrence.planned)}:{occurrence.request}"


def occurrence_of(key: bytes) -> Occurrence:
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
    """planned, until, count, at least, published, late, task id, reason; `planned` is left out
    where the line says which claim it closed."""
    until = text_of(skip.until) if skip.until > skip.planned else ""
    at_least = "1" if skip.at_least else ""
    reason = one_field(skip.reason)
    return f"{text_of(skip.planned)}\t{until}\t{skip.count}\t{at_least}\t\t\t{task_id}\t{reason}"


def published(at: int, due: int, task_id: str) -> str:
    return f"\t\t1\t\t{at}\t{at - due}\t{task_id}\t"


def failed(task_id: str, reason: str) -> str:
    return f"\t\t1\t\t\t\t{task_id}\t{one_field(reason)}"


def record_of(fields: list[bytes]) -> Record:
    """A line of the stream: n, p, o, s, t, b and their values in turn."""
    name, closed, state, term, body = fields[1], fields[5], fields[7], fields[9], fields[11]
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
    )


def claimed_of(key: bytes, text: bytes) -> tuple[datetime, Record]:
    at, term, _, task_id, _, _ = text.split(b"\t")
    occurrence = occurrence_of(key)
    record = Record(
        occurrence.name, occurrence.planned, "claimed", "", task_id.decode(), term=int(term)
    )
    return moment_of(int(at)), record
