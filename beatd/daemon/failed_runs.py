"""Collect failed runs, so that many failures make only a few log lines."""

from collections.abc import Iterable

from beatd.daemon.unknown_tasks import UnknownTasks, is_unknown_task
from beatd.events import RunsFailed
from beatd.outcome import Delivery

EMITTED_EVERY_S = 1.0
SHOWN_MAX = 5  # of one event
FAILURES = frozenset({"failed", "expired", "lost"})


class FailedRuns:
    """Collects failed runs, and returns them as events, at most one per second.

    Of the runs of an entry whose task no worker knows, one each hour is collected.
    """

    def __init__(self) -> None:
        self._gathered: list[Delivery] = []
        self._repeats: dict[str, int] = {}
        self._more = 0
        self._unknown_tasks = UnknownTasks()
        self._emitted_at = float("-inf")

    def add(self, deliveries: Iterable[Delivery], elapsed: float) -> None:
        """Collect the runs that failed, expired or were lost; ignore the others.

        The next event shows the first SHOWN_MAX of them, and the number of the others. `elapsed` is
        the present value of `Clock.elapsed`.
        """
        for delivery in deliveries:
            repeats: int | None = None
            if delivery.state == "failed" and is_unknown_task(delivery.error):
                repeats = self._unknown_tasks.repeats(delivery, elapsed)
                if repeats is None:
                    continue
            elif delivery.state in ("succeeded", "failed"):
                self._unknown_tasks.forget(delivery.name)
            if delivery.state in FAILURES:
                if len(self._gathered) < SHOWN_MAX:
                    self._gathered.append(delivery)
                    if repeats is not None:
                        self._repeats[delivery.task_id] = repeats
                else:
                    self._more += 1

    def event_at(self, elapsed: float) -> RunsFailed | None:
        """Return an event with the failed runs since the last event, or None.

        The result is None if no run failed, or if the last event is less than a second old.
        `elapsed` is the present value of `Clock.elapsed`.
        """
        if not self._gathered or elapsed - self._emitted_at < EMITTED_EVERY_S:
            return None
        event = RunsFailed(tuple(self._gathered), self._more, self._repeats)
        self._gathered, self._more, self._repeats = [], 0, {}
        self._emitted_at = elapsed
        return event
