"""Make rows of history from skips, and records from rows of history."""

from typing import Any

from msgspec import Struct, json

from beatd.leader import Holder
from beatd.ledger import Record
from beatd.run import Skip, micros, moment_of
from beatd.stores.sql.dialect import Kind

# The columns of a row, in the order of the fields of `Line`.
COLUMNS: dict[str, Kind] = {
    "name": "text",
    "planned": "int",
    "at": "int",
    "state": "text",
    "reason": "text",
    "task_id": "text",
    "published": "int",
    "late": "float",
    "until": "int",
    "count": "int",
    "at_least": "int",
    "term": "int",
}


class Line(Struct, array_like=True):
    """A row of history that is to be inserted. Moments are in microseconds since 1970, `late` is in
    seconds, `until` and `count` are the end and the number of a stretch of skipped moments."""

    name: str
    planned: int
    at: int
    state: str
    reason: str = ""
    task_id: str = ""
    published: int | None = None
    late: float | None = None
    until: int | None = None
    count: int = 1
    at_least: int = 0
    term: int = 0


def of_skip(name: str, skip: Skip, at: int, *, term: int, task_id: str = "") -> Line:
    """Return the row that records a skip, written at the moment `at` in microseconds. `task_id`
    names the run whose open claim the skip closes."""
    first, until = micros(skip.planned), micros(skip.until)
    return Line(
        name,
        first,
        at,
        "skipped",
        skip.reason,
        task_id,
        until=until if until > first else None,
        count=skip.count,
        at_least=int(skip.at_least),
        term=term,
    )


def record_of(row: Any) -> Record:
    """Return the record that a row of history holds. Raises for a damaged row."""
    return Record(
        name=row.name,
        planned=moment_of(row.planned),
        state=row.state,
        reason=row.reason,
        task_id=row.task_id,
        published=None if row.published is None else moment_of(row.published),
        late=row.late,
        until=None if row.until is None else moment_of(row.until),
        count=row.count,
        at_least=bool(row.at_least),
        term=row.term,
    )


def leads(holder: str) -> str:
    """Return a phrase for messages that names the holder of a term, from the JSON text in the
    ledger."""
    if not holder:
        return "issued to nobody yet"
    who = json.decode(holder, type=Holder)
    return f"held by {who.name} on {who.host} (pid {who.pid})"
