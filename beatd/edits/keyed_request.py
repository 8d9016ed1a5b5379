"""Request runs with a key, so that a repeated request does not run twice.

The request's id is computed from the key, and a task id from the request's id. A repeated request
therefore finds the first one while it is pending, and later in the history, on any daemon.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from uuid import UUID, uuid5

from beatd.edits.request_arguments import ID_PREFIX, RequestArguments
from beatd.edits.run_requests import backfill, pending_requests, trigger
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
) -> str:
    """Request one run of an entry now, unless an earlier request had the same key.

    Return the task id of the run. `arguments` replace those of the entry in this run and are
    written to `marks`; a repeated request keeps the arguments of the first. Raises UnknownEntry for
    an unknown name.
    """
    id = request_id(requests.namespace, "trigger", name, key)
    found = _task_id(requests, history, name, id)
    if found is None:
        made = trigger(requests, name, now, id=id, arguments=arguments, marks=marks)
        # Another request with this key may have been a moment earlier; then the store kept that.
        found = _task_id(requests, history, name, id) or made
    return found


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
    `backfill`.
    """
    id = request_id(requests.namespace, "backfill", name, key)
    is_known = _pending(requests, name, id) is not None or any(
        _runs_of(requests, history, name, id)
    )
    return backfill(requests, name, first, last, now, id=id, only_count=is_known)


def is_run_of(namespace: UUID, record: Record, id: str) -> bool:
    """Return True if a record of history is about a run of the request with this id.

    The request is for the entry of the record.
    """
    if not record.task_id or record.origin == "planned":
        return False
    occurrences = (Occurrence(record.name, record.planned, one) for one in _ids(id))
    return record.task_id in (task_id(namespace, one) for one in occurrences)


def _runs_of(requests: Requests, history: History, name: str, id: str) -> Iterator[Record]:
    for record in islice(history.history(name, RECORDS_READ), RECORDS_READ):
        if is_run_of(requests.namespace, record, id):
            yield record


def _task_id(requests: Requests, history: History, name: str, id: str) -> str | None:
    # In this order: a request becomes a claim, and a claim a record of history.
    pending = _pending(requests, name, id)
    if pending is not None:
        return task_id(requests.namespace, Occurrence(name, pending.first, pending.id))
    found = next(_runs_of(requests, history, name, id), None)
    return None if found is None else found.task_id


def _pending(requests: Requests, name: str, id: str) -> Request | None:
    ids = _ids(id)
    return next((one for one in pending_requests(requests, name) if one.id in ids), None)


def _ids(id: str) -> tuple[str, str]:
    # The second is the id of a request with arguments of its own.
    return id, f"{ID_PREFIX}{id}"
