"""Request runs by hand, in addition to the runs of the schedule.

A request does not change the next run, the number of runs or `max_runs` of its entry.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import uuid4

from beatd import planning
from beatd.catalog import Change
from beatd.changes import Author
from beatd.edits.editing import ATTEMPTS_MAX, contention_error, row_of
from beatd.edits.request_arguments import (
    ID_PREFIX,
    RequestArguments,
    refuse_arguments,
    write_arguments,
    write_requested,
)
from beatd.errors import BeatError, ConfigError, Conflict
from beatd.ledger import Request, Requests
from beatd.marks import Marks
from beatd.run import MICROSECOND, Occurrence, Skip, task_id

REQUESTS_READ_MAX = 1000


def trigger(
    store: Requests,
    name: str,
    now: datetime,
    *,
    id: str = "",
    arguments: RequestArguments | None = None,
    marks: Marks | None = None,
    author: Author | None = None,
) -> str:
    """Request one run of an entry now, and return its task id.

    `id` is the id of the request, or "" for a random one. `arguments` replace those of the entry in
    this run; they and the author of the request are written to `marks`. Raises UnknownEntry for an
    unknown name, and ConfigError if arguments are given for an entry with several tasks.
    """
    row = row_of(store, name)
    refuse_arguments(row.entry, arguments)
    id = id or uuid4().hex
    if arguments and marks is not None:
        id = f"{ID_PREFIX}{id}"
        write_arguments(marks, id, arguments, now)
    request = Request(id=id, name=name, kind="trigger", first=now, last=now, revision=row.revision)
    task = task_id(store.namespace, Occurrence(name, now, request.id))
    if marks is not None and author is not None:
        write_requested(marks, task, author, arguments, now)
    store.add_requests([request])
    return task


def backfill(
    store: Requests,
    name: str,
    first: datetime,
    last: datetime,
    now: datetime,
    *,
    only_count: bool = False,
    id: str = "",
    moment_text: Callable[[datetime], str] = datetime.isoformat,
) -> Skip:
    """Request a run for each moment of an entry's schedule from `first` to `last`.

    Returns the first and the last of these moments and their number. With `only_count`, nothing is
    requested. `id` is the id of the request, or "" for a random one. `moment_text` writes the times
    in the text of an error.

    Raises ConfigError if `last` is in the future, UnknownEntry for an unknown name, BeatError if
    there is no such moment, and Conflict if a pending backfill overlaps it.
    """
    if last > now:
        raise ConfigError(f"--to {moment_text(last)} is in the future; a backfill ends in the past")
    row = row_of(store, name)
    beginning = planning.next_moment(row.entry, planning.earlier(first, MICROSECOND))
    if beginning is None or beginning > last:
        span = f"from {moment_text(first)} to {moment_text(last)}"
        raise BeatError(
            f"entry {name!r} has no moment {span}; nothing was requested; give a longer time"
        )
    newest = planning.moment_before(
        row.entry, beginning, last + MICROSECOND, lambda schedule, at: schedule.next_after(at)
    )
    request = Request(
        id=id or uuid4().hex,
        name=name,
        kind="backfill",
        first=beginning,
        last=newest,
        revision=row.revision,
    )
    if not only_count:
        _refuse_overlap(pending_requests(store, name), request, moment_text)
        store.add_requests([request])
    return planning.stretch(row.entry, beginning, newest, "")


def _refuse_overlap(
    pending: Sequence[Request], request: Request, moment_text: Callable[[datetime], str]
) -> None:
    for one in pending:
        if one.kind == "backfill" and one.first <= request.last and request.first <= one.last:
            span = f"from {moment_text(one.first)} to {moment_text(one.last)}"
            raise Conflict(
                f"a backfill of {one.name!r} {span} is pending already; nothing was requested "
                "(`beatd backfill NAME --cancel` cancels it)"
            )


def pending_requests(store: Requests, name: str) -> list[Request]:
    """Return the pending run requests of an entry, among the first 1000 requests of the store."""
    return [request for request, _ in store.requests(REQUESTS_READ_MAX) if request.name == name]


def cancel_backfills(store: Requests, name: str) -> list[Skip]:
    """Cancel the pending backfills of an entry, and return the runs that will not happen.

    A result has the first and the last moment that will not run, and their number. The history
    records them as skipped. Raises UnknownEntry for an unknown name, BeatError if no backfill is
    pending, and Conflict if others changed the entry during every attempt.
    """
    for _ in range(ATTEMPTS_MAX):
        row = row_of(store, name)
        left = [one for one in pending_requests(store, name) if one.kind == "backfill"]
        if not left:
            raise BeatError(f"{name} has no backfill that is pending")
        change = Change(name, row.revision, row.entry, paused=row.paused, calls_off=True)
        if store.write([change])[0]:
            return [planning.stretch(row.entry, one.first, one.last, "") for one in left]
    raise contention_error(name)
