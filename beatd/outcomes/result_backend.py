"""Read the states of tasks from the result backend of a Celery app, without unpickling."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from celery import Celery
from msgspec import Struct

ERROR_MAX_CHARS = 500
PICKLE = ("pickle", "application/x-python-serialize")


class Result(Struct, frozen=True):
    """The state of one task in the result backend, such as "SUCCESS".

    `done` is when the task ended, and `error` its error in one line; unknown fields are empty.
    """

    state: str
    done: datetime | None = None
    worker: str = ""
    error: str = ""


def backend_trouble(app: Celery) -> str:
    """Return the reason why the app's result backend cannot be read, or "" if it can."""
    url = str(app.conf.result_backend or "")
    if not url or url.startswith("disabled"):
        return "the app has no result backend"
    if url.startswith("rpc"):
        return "the result backend rpc:// answers only the client that sent a task"
    if app.conf.result_serializer in PICKLE:
        return "the app pickles its results"
    return ""


def results_of(app: Celery, task_ids: Sequence[str]) -> dict[str, Result]:
    """Return the results of these tasks, by task id, from the result backend of the app.

    Tasks that the backend does not know are left out. An error of the backend is raised.
    """
    backend: Any = app.backend
    if type(backend).__module__.startswith("celery.backends.database"):
        return _rows(backend, task_ids)
    try:
        found = _values(backend, task_ids)
    except (NotImplementedError, AttributeError):  # it has no request for several tasks
        found = {one: backend.get_task_meta(one, cache=False) for one in task_ids}
    results = {one: _result(meta) for one, meta in found.items() if meta}
    return {one: result for one, result in results.items() if result.state != "PENDING"}


def _values(backend: Any, task_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    keys = [backend.get_key_for_task(one) for one in task_ids]
    values = backend.mget(keys)
    if isinstance(values, Mapping):  # memcached
        values = [values.get(key) for key in keys]
    return {
        one: backend.decode(value)
        for one, value in zip(task_ids, values, strict=True)
        if value is not None
    }


def _rows(backend: Any, task_ids: Sequence[str]) -> dict[str, Result]:
    # The return values of the tasks are not read, because they may be pickled.
    row, session = backend.task_cls, backend.ResultSession()
    try:
        found = (
            session.query(row.task_id, row.status, row.date_done, row.traceback)
            .filter(row.task_id.in_(task_ids))
            .all()
        )
    finally:
        session.close()
    return {
        task_id: Result(state, _moment(done), error=_last_line(traceback))
        for task_id, state, done, traceback in found
    }


def _result(meta: Mapping[str, Any]) -> Result:
    error = ""
    if meta.get("status") in ("FAILURE", "REVOKED"):
        error = _error(meta.get("result")) or _last_line(meta.get("traceback"))
    worker = str(meta.get("worker") or "")  # only with result_extended
    return Result(str(meta.get("status")), _moment(meta.get("date_done")), worker, error)


def _error(result: Any) -> str:
    if isinstance(result, BaseException):
        return _short(repr(result))
    if not isinstance(result, Mapping) or "exc_type" not in result:
        return ""
    message = result.get("exc_message")
    parts = message if isinstance(message, list | tuple) else [message]
    return _short(f"{result['exc_type']}({', '.join(map(repr, parts))})")


def _last_line(traceback: Any) -> str:
    lines = str(traceback or "").strip().splitlines()
    return _short(lines[-1]) if lines else ""


def _short(text: str) -> str:
    return " ".join(text.split())[:ERROR_MAX_CHARS]


def _moment(done: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(done) if isinstance(done, str) else done
    except ValueError:
        return None
    if not isinstance(moment, datetime):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
