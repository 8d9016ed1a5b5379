"""A loop beside the beat: nothing that happens in its turns ends it."""

import logging
import threading
from collections.abc import Callable

import pytest

from beatd.clock import SystemClock
from beatd.daemon.loop import Loop
from beatd.events import Broke, Event
from beatd.observers.log import LogObserver
from tests.fake_clock import FakeClock


def loop(turn: Callable[[], float], observer: Callable[[Event], None] | None = None) -> Loop:
    observer = observer or LogObserver()
    return Loop(turn, name="campaign", stuck_after_s=10.0, clock=FakeClock(), observer=observer)


def test_it_goes_on_after_a_turn_that_broke_and_tells_each_kind_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns = 0

    def turn() -> float:
        nonlocal turns
        turns += 1
        if turns == 6:
            one.stop()
        if turns % 2:
            raise ValueError(f"turn {turns}")
        return {}["gone"]  # type: ignore[no-any-return]

    one = loop(turn)
    with caplog.at_level(logging.ERROR, "beatd"):
        one.run()
    assert turns == 6
    assert [record.getMessage() for record in caplog.records] == [
        "the campaign broke and goes on: ValueError('turn 1')",
        "the campaign broke and goes on: KeyError('gone')",
    ]
    assert all(record.exc_info for record in caplog.records)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_has_ended_is_told() -> None:
    def gone(event: Event) -> None:
        assert isinstance(event, Broke)
        raise RuntimeError("the log is gone, too")

    one = loop(lambda: 1 / 0, gone)
    one.start()
    one.join(100)
    assert one.trouble() == "the thread of the campaign has ended"


def test_a_turn_that_does_not_come_back_is_told() -> None:
    clock, go_on = FakeClock(), threading.Event()
    begun = threading.Event()

    def turn() -> float:
        begun.set()
        go_on.wait(100)
        one.stop()
        return 0.0

    one = Loop(turn, name="campaign", stuck_after_s=10.0, clock=clock, observer=LogObserver())
    assert one.trouble() == "", "not begun"
    one.start()
    assert begun.wait(100)
    clock.advance(seconds=9)
    assert one.trouble() == ""
    clock.advance(seconds=2)
    assert one.trouble() == "the campaign is stuck: last turn 11.0 s ago"
    go_on.set()
    one.join(100)
    assert one.trouble() == "", "it was asked to end"


def test_it_is_woken_and_stopped_in_the_middle_of_a_wait() -> None:
    turns = threading.Semaphore(0)

    def turn() -> float:
        turns.release()
        return 60.0

    one = Loop(
        turn, name="campaign", stuck_after_s=10.0, clock=SystemClock(), observer=LogObserver()
    )
    one.start()
    for _ in range(3):
        assert turns.acquire(timeout=100)
        one.wake()
    one.stop()
    one.join(100)
    assert one._thread is not None and not one._thread.is_alive()
