"""What monitors, metrics and the log learn of a canvas: its run, not each of its tasks."""

from datetime import timedelta

from beatd.daemon.canvas_runs import CanvasRuns
from beatd.definition import codec
from beatd.outcome import Delivery, OutcomeState
from beatd.run import EPOCH
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock

FIRST, LAST = "0+1/1:1/2", "0/1:2/2"  # of a chain


def task(part: str, state: OutcomeState, second: int, error: str = "") -> Delivery:
    at = EPOCH + timedelta(seconds=second)
    return Delivery(
        task_id="run", delivery=f"d.{part}" if part else "d", name="nightly", planned=EPOCH,
        state=state, at=at, error=error,
    )  # fmt: skip


class Written:
    """A store, and what is announced after each write."""

    def __init__(self) -> None:
        self.store = MemoryStore(codec=codec, clock=FakeClock())
        self.runs = CanvasRuns(self.store)

    def __call__(self, *deliveries: Delivery) -> list[tuple[str, str]]:
        self.store.write_outcomes(deliveries, EPOCH)
        return [(one.state, one.error) for one in self.runs.changed(deliveries)]


def test_each_state_of_a_run_is_announced_once() -> None:
    written = Written()
    assert written(task(FIRST, "received", 1)) == [("received", "")]
    assert written(task(FIRST, "started", 2)) == [("started", "")]
    assert written(task(FIRST, "succeeded", 3)) == []
    assert written(task(LAST, "started", 4)) == []
    assert written(task(LAST, "succeeded", 5)) == [("succeeded", "")]


def test_only_the_first_failure_of_a_run_is_announced() -> None:
    written = Written()
    assert written(task("0/2:1/2", "failed", 1, "a")) == [("failed", "task 1 of 2, a")]
    assert written(task("1/2:2/2", "lost", 2)) == []


def test_another_daemon_does_not_announce_a_failure_again() -> None:
    written = Written()
    written(task("0/2:1/2", "failed", 1, "a"))
    written.runs = CanvasRuns(written.store)
    assert written(task("1/2:2/2", "failed", 2, "b")) == []


def test_the_run_of_one_task_is_announced_as_it_was_reported() -> None:
    written = Written()
    assert written(task("", "started", 1), task("", "failed", 2, "a")) == [
        ("started", ""),
        ("failed", "a"),
    ]
