"""A worker that reports, a publisher that beatd uses, and the queue where the reports arrive."""

import os
import signal
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kombu import Connection

from beatd.outcome import DELIVERY_ENDS
from beatd.publisher import Outcome
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for
from beatd.report import Report, Reports, decode
from beatd.report_queue import queue_of
from beatd.run import Run
from tests.publishers.brokers import delete, unique
from tests.publishers.runs import MOMENT, always, entry, run
from tests.publishers.workers.worker import Worker
from tests.waiting import until

PROJECT = "tests.worker.project"


class World:
    """`options` are more options of `celery worker`."""

    def __init__(
        self,
        broker: dict[str, Any],
        folder: Path,
        *options: str,
        pool: str,
        reports: str | None = None,
        held_every: float | None = None,
    ) -> None:
        self.folder = folder
        self.broker = broker
        self.queue = unique("outcomes")
        self.reports = reports or unique("reports")
        told: dict[str, Any] = {} if reports else {"reports": self.reports}
        if held_every is not None:
            told["held_every_s"] = str(held_every)
        self.worker = Worker(
            PROJECT,
            self.queue,
            folder,
            *options,
            pool=pool,
            broker=broker["url"],
            options=broker.get("transport_options", {}),
            queue=self.queue,
            **told,
        )
        self.app = app_for(broker)
        self._publisher = CeleryPublisher(app=self.app, timeout=30)
        self._connection = Connection(
            broker["url"], transport_options=broker.get("transport_options", {})
        )
        self.seen: list[Reports] = []

    def __enter__(self) -> Self:
        self.worker.ready()
        self._inbox = queue_of(self.reports)(self._connection.default_channel)
        self._inbox.declare()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.worker.stop()
        self._publisher.close()
        if self.broker["url"].startswith(("redis", "amqp")):
            for queue in (self.queue, self.reports):
                # Redis deletes only queues that the connection has bound.
                self._connection.default_channel.queue_purge(queue)
                delete(self.broker["url"], queue)
        self._connection.release()

    def mark(self) -> Path:
        """A file that does not exist, by which a test and a task wait for each other."""
        return self.folder / unique("mark")

    def run(self, task: str, *args: Any, expires: datetime | None = None, **options: Any) -> Run:
        """A run of a task, not yet published."""
        options["queue"] = self.queue
        if expires is not None:
            options["expires"] = "next"
        return run(
            entry(f"the {task}", f"outcomes.{task}", *args, options=options), expires=expires
        )

    def publish(self, *runs: Run) -> None:
        outcomes = list(self._publisher.publish(list(runs), always))
        assert outcomes == [Outcome("confirmed")] * len(runs)

    def sent(self, task: str, *args: Any, expires: datetime | None = None, **options: Any) -> str:
        """The task id of a run that was published."""
        one = self.run(task, *args, expires=expires, **options)
        self.publish(one)
        return one.task_id

    def read(self) -> list[Reports]:
        """All messages so far."""
        while (message := self._inbox.get(no_ack=True)) is not None:
            body = message.body
            self.seen.append(decode(body.encode() if isinstance(body, str) else body))
        return self.seen

    def reported(self, task_id: str) -> list[Report]:
        """All reports about a run so far, those about one delivery together."""
        found = [one for message in self.read() for one in message.reports if one.id == task_id]
        order = list(dict.fromkeys(one.delivery for one in found))
        return sorted(found, key=lambda one: order.index(one.delivery))

    def ended(self, task_id: str, deliveries: int = 1) -> list[Report]:
        """All reports about a run, once so many deliveries have ended."""

        def ends() -> bool:
            found = self.reported(task_id)
            return sum(one.state in DELIVERY_ENDS for one in found) == deliveries

        until(ends, 10, f"no end of {task_id}")
        return self.reported(task_id)

    def started(self, task_id: str) -> None:
        """Return once the task has started."""
        until(
            lambda: any(one.state == "started" for one in self.reported(task_id)),
            10,
            f"{task_id} does not start",
        )

    def revoke(self, task_id: str, *, terminate: bool = False, by: str = "SIGKILL") -> None:
        """Return once the worker has revoked it."""
        replies = self.app.control.revoke(
            task_id, terminate=terminate, signal=by, reply=True, limit=1, timeout=30
        )
        assert replies

    def end_worker(self) -> None:
        """Start a warm shutdown."""
        os.kill(self.worker.process.pid, signal.SIGTERM)


def states(reports: list[Report]) -> list[str]:
    return [one.state for one in reports]


def facts(reports: list[Report]) -> set[tuple[str, str, datetime, str]]:
    """What all reports about one delivery share."""
    return {(one.id, one.entry, one.planned, one.delivery) for one in reports}


__all__ = ["MOMENT", "World", "facts", "states"]
