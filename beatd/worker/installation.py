"""Make the Celery workers of this process report beatd's runs, through Celery's signals.

Only the parent process of a worker sends these signals.
"""

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from celery import Celery, signals

from beatd.outcome import OutcomeState
from beatd.report import QUEUE
from beatd.worker.error_line import error_line, one_line
from beatd.worker.rare_warning import never_raises
from beatd.worker.reporter import PLANNED, Reporter
from beatd.worker.request_hooks import REPORTED

_queues: WeakKeyDictionary[Celery, str] = WeakKeyDictionary()  # the queue of each reporting app
_reporters: dict[tuple[Celery, str], Reporter] = {}  # by app and name of the worker


def report(app: Celery, queue: str = QUEUE) -> None:
    """Make the workers of this app report to beatd what becomes of its runs, through a queue.

    The daemon must read the same queue (its setting `outcomes.queue`). Repeated calls are harmless.
    """
    found = getattr(app, "_get_current_object", None)  # celery's proxies have it
    _queues[found() if found else app] = queue
    _connect()


def report_every_app() -> None:
    """Make the workers of every Celery app in this process report to beatd what becomes of its
    runs.

    The queue is `beatd.outcomes`, or that of an earlier `report(app, queue)`.
    """
    global _every_app
    _every_app = True
    _connect()


_every_app = False


def _connect() -> None:
    for signal, receiver in (
        (signals.task_received, _on_received),
        (signals.task_revoked, _on_revoked),
        (signals.task_unknown, _on_unknown),
        (signals.task_rejected, _on_rejected),
        (signals.worker_shutdown, _on_shutdown),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=f"beatd.worker {receiver.__name__}")


def _reporter(app: Celery, worker: str) -> Reporter | None:
    found = _reporters.get((app, worker))
    if found is None:
        queue = _queues.get(app, QUEUE if _every_app else None)
        if queue is None:
            return None
        found = _reporters[app, worker] = Reporter(app, queue=queue, worker=worker)
    return found


def is_reported(headers: Mapping[str, Any] | None) -> bool:
    """Return True if a message with these headers is of a run that beatd published.

    Celery's own task that waits for the header of a chord has the headers of the chord's body.
    """
    if not headers or PLANNED not in headers:
        return False
    return bool(headers.get("task") != "celery.chord_unlock")


def _on_received(sender: Any, request: Any, **_: Any) -> None:
    headers = request.message.headers
    if is_reported(headers):
        _received(request, headers)
    elif _reporters:
        _received_without_headers(request)


@never_raises
def _received(request: Any, headers: Mapping[str, Any]) -> None:
    reporter = _reporter(request.app, request.hostname)
    if reporter is not None:
        reporter.received(request, headers)


@never_raises
def _received_without_headers(request: Any) -> None:
    # A task that retries itself may replace the headers. Then those of its first delivery are used.
    reporter = _reporters.get((request.app, request.hostname))
    if reporter is not None and request.id in reporter.known:
        reporter.received(request, reporter.known[request.id])


@never_raises
def _on_revoked(sender: Any, request: Any, expired: bool, **_: Any) -> None:
    headers = request.headers
    if is_reported(headers) and not getattr(request, REPORTED, False):
        reporter = _reporter(sender.app, request.hostname)
        if reporter is not None:
            state: OutcomeState = "expired" if expired else "revoked"
            reporter.ended_unreceived(request.id, headers, state, "")


@never_raises
def _on_unknown(sender: Any, message: Any, name: str, id: str, **_: Any) -> None:
    error = f"NotRegistered: the worker does not know the task {name!r}"
    _refused(sender, message.headers, id, one_line(error))


@never_raises
def _on_rejected(sender: Any, message: Any, exc: BaseException | None, **_: Any) -> None:
    headers = message.headers or {}
    error = error_line(exc) if exc else "rejected: the worker does not understand the message"
    _refused(sender, headers, headers.get("id"), error)


def _refused(consumer: Any, headers: Mapping[str, Any] | None, id: str | None, error: str) -> None:
    if headers and is_reported(headers) and id is not None:
        reporter = _reporter(consumer.app, consumer.hostname)
        if reporter is not None:
            reporter.ended_unreceived(id, headers, "failed", error)


@never_raises
def _on_shutdown(sender: Any, **_: Any) -> None:
    reporter = _reporters.pop((sender.app, sender.hostname), None)
    if reporter is not None:
        reporter.close()
