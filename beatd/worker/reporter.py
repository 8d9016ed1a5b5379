"""Report what becomes of the runs of beatd's entries that a Celery worker receives."""

import atexit
import os
from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex
from typing import Any

from celery import Celery

from beatd.outcome import DELIVERY_ENDS, OutcomeState
from beatd.report import Report
from beatd.run import RUN_HEADER
from beatd.run_part import HEADER as PART
from beatd.run_part import delivery_id
from beatd.worker.held_delivery import HeldDelivery
from beatd.worker.report_line import ReportLine
from beatd.worker.report_sender import ReportSender
from beatd.worker.request_hooks import watch

PLANNED = "beatd_planned_at"  # the header that only messages of beatd have
ENTRY = "periodic_task_name"
NOT_STARTED = "not started; the worker ended, or lost its connection to the broker"
CLOSE_S = 2.0
MAX_RETRIED = 1_000  # runs that were sent again and whose headers are remembered


class Reporter:
    """Reports what becomes of the runs of beatd's entries that one Celery worker receives."""

    def __init__(self, app: Celery, *, queue: str, worker: str) -> None:
        self._held: dict[str, HeldDelivery] = {}
        #: The headers of runs that are held or were sent again, by task id. A retry keeps the
        #: headers of beatd, unless the task replaces them: `self.retry(headers=…)`. It may arrive
        #: before the parent process has heard of the retry.
        self.known: dict[str, Mapping[str, Any]] = {}
        self._sender = ReportSender(
            open_line=lambda: ReportLine(app, queue),
            worker=worker,
            held=self._named,
            waits_for_process=self._end_terminated,
        )
        self._pid = os.getpid()
        atexit.register(self.close)  # a cold shutdown sends no signal

    def received(self, request: Any, headers: Mapping[str, Any]) -> None:
        """Report that the worker received a message, and report each later state of its task."""
        delivery = self._delivery(request.id, headers)
        watch(request, delivery)
        self.known[delivery.id] = headers
        self._held[delivery.delivery] = delivery
        delivery.report("received")

    def ended_unreceived(
        self, task_id: str, headers: Mapping[str, Any], state: OutcomeState, error: str
    ) -> None:
        """Report the end of a task that the worker refused to run, as revoked, expired or
        invalid."""
        self._delivery(task_id, headers).end(state, error)

    def _delivery(self, task_id: str, headers: Mapping[str, Any]) -> HeldDelivery:
        return HeldDelivery(
            changed=self._changed,
            was_terminated=self._sender.wake,
            id=task_id,
            # All tasks of a canvas are reported as deliveries of their run.
            run_id=headers.get(RUN_HEADER) or task_id,
            delivery=delivery_id(token_hex(8), headers.get(PART) or ""),
            task=str(headers.get("task") or "") if headers.get(PART) else "",
            entry=headers[ENTRY],
            planned=datetime.fromisoformat(headers[PLANNED]),
        )

    def _changed(self, held: HeldDelivery, state: OutcomeState, at: datetime, error: str) -> None:
        self._sender.add(
            Report(
                id=held.run_id,
                delivery=held.delivery,
                entry=held.entry,
                planned=held.planned,
                state=state,
                at=at,
                error=error,
            )
        )
        if state in DELIVERY_ENDS:
            self._held.pop(held.delivery, None)
            if state != "retried":
                self.known.pop(held.id, None)
            elif len(self.known) > len(self._held) + MAX_RETRIED:
                self.known.pop(next(iter(self.known)), None)

    def _end_terminated(self) -> bool:
        terminated = [held for held in list(self._held.values()) if held.terminated]
        return not all([held.end_terminated() for held in terminated])

    def _named(self) -> list[tuple[str, str]]:
        self._release_dropped()
        return [(held.run_id, held.delivery) for held in list(self._held.values())]

    def _release_dropped(self) -> None:
        # A worker that loses its broker drops tasks that have not started, without reporting an
        # end. They are reported as "retried", because the broker delivers them again. A started
        # task is not reported: its end is unknown.
        for held in list(self._held.values()):
            if held.request is None or held.request() is not None:
                continue
            if held.started:
                self._held.pop(held.delivery, None)  # no end is known; the leader finds it lost
            else:
                held.end("retried", NOT_STARTED)

    def close(self) -> None:
        """Report the tasks that have not started as "retried", and send the last reports.

        This takes at most CLOSE_S seconds. In a child process nothing happens.
        """
        if os.getpid() != self._pid:
            return  # a child ends
        atexit.unregister(self.close)
        for held in list(self._held.values()):
            if not held.started:
                held.end("retried", NOT_STARTED)
        self._sender.close(CLOSE_S)
