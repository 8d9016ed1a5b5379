"""What is known about one violation: the faults, the history and the logs around its moment."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.chaos.arrivals import Arrival
from tests.chaos.verdict import Record, Struck, Violation

AROUND = timedelta(seconds=2), timedelta(seconds=10)  # before and after the planned moment
NEAR = timedelta(seconds=0.5)  # of a history record
LINES = 60  # of all logs


def story(
    violation: Violation,
    arrivals: Sequence[Arrival],
    records: Sequence[Record],
    struck: Sequence[Struck],
    logs: Sequence[Path],
    daemons: Mapping[int, int],
) -> Iterator[str]:
    yield f"{violation.kind}: {violation.entry} planned {violation.planned}: {violation.words}"
    moment = violation.planned
    if moment is None:
        return
    since, until = moment - AROUND[0], moment + AROUND[1]
    for one in struck:
        if one.at <= until.timestamp() and one.over >= since.timestamp():
            back = "never" if one.back is None else _clock(one.back)
            yield f"  {_clock(one.at)} {one.fault}; mended {_clock(one.mended)}, on time {back}"
    for seen in arrivals:
        if seen.entry == violation.entry and seen.planned == moment:
            sender = daemons.get(seen.pid, "?")
            yield f"  {_clock(seen.at)} arrived, id {seen.task_id}, from daemon {sender}"
    for record in records:
        if record.entry == violation.entry and _near(record, moment):
            yield f"  history: {_words(record)}"
    said = [
        f"{line} [{log.stem}]"
        for log in logs
        for line in _between(log, since, until)
        if "info    published" not in line
    ]
    yield from (f"  {line}" for line in sorted(said)[:LINES])


def _near(record: Record, moment: datetime) -> bool:
    return record.planned - NEAR <= moment <= (record.until or record.planned) + NEAR


def _words(record: Record) -> str:
    until = f" to {record.until:%H:%M:%S.%f}" if record.until else ""
    told = record.reason or record.task_id
    at = f", published {record.published:%H:%M:%S.%f}" if record.published else ""
    return f"{record.planned:%H:%M:%S.%f}{until} {record.state}: {told}{at}"


def _between(log: Path, since: datetime, until: datetime) -> Iterator[str]:
    """Yield the lines of that time; a line without a time belongs to the one before it."""
    inside = False
    for line in log.read_text(errors="replace").splitlines():
        with suppress(ValueError):
            inside = since <= datetime.fromisoformat(line.split(" ", 1)[0]) <= until
        if inside:
            yield line


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f}"
