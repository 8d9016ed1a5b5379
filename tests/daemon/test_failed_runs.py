"""Which failed runs get a line of the log."""

from datetime import UTC, datetime
from typing import Any

from beatd.daemon.failed_runs import FailedRuns
from beatd.events import RunsFailed
from beatd.outcome import Delivery, OutcomeState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
UNKNOWN = "NotRegistered: the worker does not know the task 'proj.reprot'"


class Told:
    """The runs of one entry, each an hour's part after the other, and what is told of them."""

    def __init__(self) -> None:
        self.runs, self.now_s, self.number = FailedRuns(), 0.0, 0

    def ends(self, state: OutcomeState, error: str = "", **more: Any) -> RunsFailed | None:
        self.number += 1
        self.now_s += 60.0
        known = {"name": "a", "planned": NOON, "at": NOON, "delivery": "d", **more}
        delivery = Delivery(task_id=f"id-{self.number}", state=state, error=error, **known)
        self.runs.add([delivery], self.now_s)
        return self.runs.event_at(self.now_s)


def test_a_task_that_no_worker_knows_is_told_once_and_then_each_hour() -> None:
    told = Told()
    first = told.ends("failed", UNKNOWN)
    assert first is not None and first.repeats == {"id-1": 0}
    assert [told.ends("failed", UNKNOWN) for _ in range(59)] == [None] * 59
    again = told.ends("failed", UNKNOWN)
    assert again is not None and again.repeats == {"id-61": 59}
    assert told.ends("failed", UNKNOWN) is None


def test_it_is_told_again_after_it_changed() -> None:
    told = Told()
    assert told.ends("failed", UNKNOWN) is not None
    other = told.ends("failed", UNKNOWN.replace("reprot", "rport"))
    assert other is not None and other.repeats == {"id-2": 0}
    assert told.ends("succeeded") is None
    assert told.ends("failed", UNKNOWN.replace("reprot", "rport")) is not None
    assert told.ends("failed", UNKNOWN, name="b") is not None


def test_a_step_of_a_canvas_that_no_worker_knows_is_told_once() -> None:
    told = Told()
    assert told.ends("failed", f"task 2 of 3, proj.load: {UNKNOWN}") is not None
    assert told.ends("failed", f"task 2 of 3, proj.load: {UNKNOWN}") is None


def test_any_other_failure_is_told_each_time() -> None:
    told = Told()
    for _ in range(3):
        event = told.ends("failed", "ValueError: no")
        assert event is not None and event.repeats == {}
