"""What the parent process of a worker makes of celery's requests, without a worker."""

import logging
import os
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from billiard.einfo import ExceptionInfo
from billiard.exceptions import Terminated
from celery import Celery, signals
from celery.concurrency.solo import TaskPool
from celery.exceptions import WorkerLostError
from celery.worker.request import Request, create_request_cls

from beatd import worker
from beatd.outcome import OutcomeState
from beatd.report import decode
from beatd.report_queue import queue_of
from beatd.worker import report_sender
from tests.publishers.brokers import unique
from tests.waiting import until

HEADERS = {"beatd_planned_at": "2026-11-28T00:00:00.000000+00:00", "periodic_task_name": "nightly"}


class Parent:
    """A worker's parent process as far as requests know it, on a broker in memory."""

    hostname = "one@host"
    consumer = object()

    def __init__(self) -> None:
        self.app = Celery("parent", broker="memory://", set_as_current=False)
        self.app.conf.task_ignore_result = True
        self.queue = unique("reports")
        worker.report(self.app, queue=self.queue)

        @self.app.task(name="outcomes.nothing", shared=False, acks_late=True)
        def nothing() -> None: ...

        self.task: Any = nothing

    def received(self, headers: dict[str, str] = HEADERS) -> Any:
        """A request that the worker has just received."""
        made = create_request_cls(Request, self.task, TaskPool(), self.hostname, None, app=self.app)
        message = SimpleNamespace(
            headers={"id": unique("task"), "task": self.task.name, **headers},
            body=b"[[], {}, {}]", payload=[[], {}, {}], delivery_info={"routing_key": "other"},
            properties={}, content_type="application/json", content_encoding="utf-8",
        )  # fmt: skip
        request = made(message, app=self.app, task=self.task, hostname=self.hostname)
        signals.task_received.send(sender=self.consumer, request=request)
        return request

    def states(self) -> list[tuple[OutcomeState, str]]:
        """The states that were reported, with their errors; the worker ends."""
        signals.worker_shutdown.send(sender=self)
        with self.app.connection_for_read() as connection:
            queue = queue_of(self.queue)(connection.default_channel)
            queue.declare()
            found = []
            while (message := queue.get(no_ack=True)) is not None:
                found += [(one.state, one.error) for one in decode(message.body).reports]
        return found


@pytest.fixture
def parent() -> Iterator[Parent]:
    made = Parent()
    yield made
    signals.worker_shutdown.send(sender=made)
    made.app.close()


def raised(error: Exception) -> ExceptionInfo:
    try:
        raise error
    except type(error):
        return ExceptionInfo()


def lost() -> ExceptionInfo:
    return raised(WorkerLostError("signal 9"))


def test_a_request_that_the_worker_drops_before_it_starts_is_retried(
    parent: Parent, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(report_sender, "HELD_EVERY_S", 0)
    request = parent.received()
    watched = request.beatd_held
    del request
    until(lambda: watched.ended, 5, "the request is still held")
    assert parent.states() == [
        ("received", ""),
        ("retried", "not started; the worker ended, or lost its connection to the broker"),
    ]


def test_a_run_that_had_succeeded_before_its_child_was_lost_has_succeeded(
    parent: Parent, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hasattr(Request, "_success_was_stored"):
        pytest.skip("this celery does not look for a stored success")
    monkeypatch.setattr(Request, "_success_was_stored", lambda self: {"result": 1})
    request = parent.received()
    request.on_accepted(os.getpid(), time.monotonic())
    request.on_failure(lost())
    assert parent.states()[1:] == [("started", ""), ("succeeded", "")]


def test_a_run_that_celery_sends_again_when_its_child_is_lost_is_retried(parent: Parent) -> None:
    if not hasattr(parent.task, "retry_on_worker_lost"):
        pytest.skip("this celery does not retry when a child is lost")
    parent.task.retry_on_worker_lost = True
    request = parent.received()
    request.on_accepted(os.getpid(), time.monotonic())
    request.on_failure(lost())
    assert parent.states()[1:] == [("started", ""), ("retried", "WorkerLostError: signal 9")]


def test_a_terminated_run_is_revoked_though_celery_calls_its_end_a_failure(parent: Parent) -> None:
    request = parent.received()
    request.on_accepted(os.getppid(), time.monotonic())  # another process, which still runs
    request.on_failure(raised(Terminated("SIGTERM")))
    assert parent.states()[1:] == [("started", ""), ("revoked", "terminated")]


def test_reports_that_fail_reach_the_log_and_not_the_worker(
    parent: Parent, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beatd.worker.rare_warning._hook_failed._not_before", 0.0)
    for _ in range(3):
        parent.received({**HEADERS, "beatd_planned_at": "nonsense"}).on_success((False, 1, 0.1))
    assert parent.states() == []
    warnings = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one.getMessage() for one in warnings] == [
        "a run is not reported: ValueError: Invalid isoformat string: 'nonsense'"
    ]
