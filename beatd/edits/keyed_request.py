"""Request runs with a key, so that a repeated request does not run twice.

The request's id is computed from the key, and a task id from the request's id. A repeated request
therefore finds the first one while it is pending, and later in the history, on any daemon.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from uuid import UUID, uuid5

from beatd.changes import Author
from beatd.edits.request_arguments import ID_PREFIX, RequestArguments, arguments_text
from beatd.edits.run_requests import backfill, pending_requests, trigger
from beatd.errors import BeatError
from beatd.history import History, Record
from beatd.ledger import Request, Requests
from beatd.marks import Marks
from beatd.run import Occurrence, Skip, task_id

RECORDS_READ = 1_000  # of the entry, the newest


def request_id(namespace: UUID, kind: str, name: str, key: str) -> str:
    """Return the id of a request, computed from its kind, its entry's name and its key."""
    return uuid5(namespace, f"{kind}\n{name}\n{key}").hex


def keyed_trigger(
    requests: Requests,
    history: History,
    name: str,
    now: datetime,
    key: str,
    *,
    arguments: RequestArguments | None = None,
    marks: Marks | None = None,
    author: Author | None = None,
) -> str:
    """Request one run of an entry now, unless an earlier request had the same key.

    Return the task id of the run. `arguments` replace those of the entry in this run; they and the
    author are written to `marks`. Raises UnknownEntry for an unknown name, and BeatError if the
    earlier request had other arguments.
    """
    id = request_id(requests.namespace, "trigger", name, key)
    found = _task_of(requests, history, name, id)
    if found is None:
        made = trigger(requests, name, now, id=id, arguments=arguments, marks=marks, author=author)
        # Another request with this key may have been a moment earlier; then the store kept that.
        found = _task_of(requests, history, name, id)
        if found is None:
            return made
    known, task = found
    if not _has_arguments(known, arguments, marks):
        raise BeatError("an earlier request with this key had other arguments; use another key")
    return task


def keyed_backfill(
    requests: Requests,
    history: History,
    name: str,
    first: datetime,
    last: datetime,
    now: datetime,
    key: str,
) -> Skip:
    """Request a run for each moment from `first` to `last`, unless an earlier one had this key.

    Returns the first and the last of these moments and their number. Raises the errors of
    `backfill`, and BeatError if the earlier request was for other moments.
    """
    id = request_id(requests.namespace, "backfill", name, key)
    pending = _pending(requests, name, id)
    sent = next((record for record, _ in _runs_of(requests, history, name, id)), None)
    is_known = pending is not None or sent is not None
    found = backfill(requests, name, first, last, now, id=id, only_count=is_known)
    # What is pending begins later with each run that was sent.
    is_other = pending is not None and (
        pending.last != found.until or pending.first < found.planned
    )
    if is_other or (sent is not None and not found.planned <= sent.planned <= found.until):
        raise BeatError("an earlier request with this key had other moments; use another key")
    return found


def is_run_of(namespace: UUID, record: Record, id: str) -> bool:
    """Return True if a record of history is about a run of the request with this id.

    The request is for the entry of the record.
    """
    return _id_of(namespace, record, id) is not None


def _id_of(namespace: UUID, record: Record, id: str) -> str | None:
    if not record.task_id or record.origin == "planned":
        return None
    for one in _ids(id):
        if record.task_id == task_id(namespace, Occurrence(record.name, record.planned, one)):
            return one
    return None


def _runs_of(
    requests: Requests, history: History, name: str, id: str
) -> Iterator[tuple[Record, str]]:
    # Each record with the id of its request.
    for record in islice(history.history(name, RECORDS_READ), RECORDS_READ):
        if (known := _id_of(requests.namespace, record, id)) is not None:
            yield record, known


def _task_of(requests: Requests, history: History, name: str, id: str) -> tuple[str, str] | None:
    # The id of the request and the task id of its run. In this order: a request becomes a claim,
    # and a claim a record of history.
    pending = _pending(requests, name, id)
    if pending is not None:
        occurrence = Occurrence(name, pending.first, pending.id)
        return pending.id, task_id(requests.namespace, occurrence)
    found = next(_runs_of(requests, history, name, id), None)
    return None if found is None else (found[1], found[0].task_id)


def _has_arguments(id: str, given: RequestArguments | None, marks: Marks | None) -> bool:
    # True also if the arguments of the request are not kept any more.
    if not id.startswith(ID_PREFIX) or not given:
        return id.startswith(ID_PREFIX) == bool(given)
    kept = None if marks is None else marks.arguments(id)
    return kept is None or kept == arguments_text(given)


def _pending(requests: Requests, name: str, id: str) -> Request | None:
    ids = _ids(id)
    return next((one for one in pending_requests(requests, name) if one.id in ids), None)


def _ids(id: str) -> tuple[str, str]:
    # The second is the id of a request with arguments of its own.
    return id, f"{ID_PREFIX}{id}"
