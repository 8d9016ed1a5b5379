"""Convert skipped runs to rows of the history table, and rows to history records."""

from collections.abc import Sequence
from math import isfinite
from typing import Any, Literal

from msgspec import MsgspecError, Struct, json
from msgspec.structs import astuple

from beatd.history import Record
from beatd.leader import Holder
from beatd.run import Origin, Skip, micros, moment_of
from beatd.stores.sql.dialect import Columns, Kind

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
    "origin": "text",
}
WITHOUT_ORIGIN = {name: kind for name, kind in COLUMNS.items() if name != "origin"}
OF_REQUEST: dict[Literal["trigger", "backfill", "backlog"], Origin] = {
    "trigger": "trigger",
    "backfill": "backfill",
    "backlog": "catch-up",
}


class Line(Struct, array_like=True):
    """A row of the history table: one run, or a series of skipped runs.

    Times are in microseconds since 1970, and `late` is in seconds. For a series, `until` is its
    last time and `count` its length; `at_least` is 1 if `count` is only a lower bound.
    """

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
    origin: Origin = "planned"


def cells_of(lines: Sequence[Line]) -> tuple[Columns, list[tuple[Any, ...]]]:
    """Return the columns and the values of these history rows, for an INSERT.

    The column `origin` is left out if all rows have "planned".
    """
    rows = [astuple(line) for line in lines]
    if any(line.origin != "planned" for line in lines):
        return COLUMNS, rows
    # The database then stores NULL, which also means "planned".
    return WITHOUT_ORIGIN, [row[:-1] for row in rows]


def of_skip(
    name: str,
    skip: Skip,
    at: int,
    *,
    term: int,
    task_id: str = "",
    origin: Origin = "planned",
) -> Line:
    """Return the history row for a series of runs that an entry skips.

    `at` is the time of writing in microseconds since 1970. `task_id` is that of a reserved run that
    is skipped, or "".
    """
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
        origin=origin,
    )


def record_of(row: Any) -> Record:
    """Convert a row of the history table to a Record. A damaged row raises an exception."""
    texts = (row.name, row.state, row.reason, row.task_id, row.origin or "")
    if not all(isinstance(one, str) for one in texts):
        raise TypeError("a text is none")  # SQLite keeps any value in any column
    if not (isinstance(row.count, int) and isinstance(row.term, int)):
        raise TypeError("a number is none")
    return Record(
        name=row.name,
        planned=moment_of(row.planned),
        state=row.state,
        reason=row.reason,
        task_id=row.task_id,
        published=None if row.published is None else moment_of(row.published),
        late=None if row.late is None else _finite(row.late),
        until=None if row.until is None else moment_of(row.until),
        count=row.count,
        at_least=bool(row.at_least),
        term=row.term,
        origin=row.origin or "planned",
    )


def _finite(number: Any) -> float:
    if not isfinite(number):  # TypeError for a text, which SQLite keeps in any column
        raise ValueError(f"{number} is not a length of time")
    return float(number)


def leads(holder: str) -> str:
    """Describe which daemon leads, such as "held by beat-1 on web1 (pid 7)".

    `holder` is its description as JSON. If it is empty, return "issued to nobody yet".
    """
    if not holder:
        return "issued to nobody yet"
    try:
        who = json.decode(holder, type=Holder)
    except (MsgspecError, TypeError):
        return "held by a daemon whose name is damaged"
    return f"held by {who.name} on {who.host} (pid {who.pid})"
