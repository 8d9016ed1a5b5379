"""Waiting for a server at the start."""

import threading
from itertools import repeat

from beatd.daemon.startup import LONGEST_PAUSE_S, open_when_reachable
from beatd.errors import StoreError
from beatd.events import Event, StoreAway, StoreBack
from tests.fake_clock import FakeClock


def test_it_is_tried_until_it_answers_and_told_once() -> None:
    answers = iter([StoreError("refused"), StoreError("refused"), "open"])
    told: list[Event] = []

    def opened() -> str:
        answer = next(answers)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    found = open_when_reachable(
        opened,
        clock=FakeClock(),
        stop=threading.Event(),
        observer=told.append,
        before_wait=lambda free: None,
    )
    assert found == "open"
    assert [event for event in told if isinstance(event, StoreAway)] == [StoreAway("refused")]
    assert isinstance(told[-1], StoreBack) and told[-1].seconds > 0


def test_each_wait_is_an_idle_moment() -> None:
    """Each failure leaves knots of a traceback and a connection: a collector must hear of it."""
    stop, heard = threading.Event(), list[float]()
    away = repeat(StoreError("refused"), 10)

    def opened() -> None:
        trouble = next(away, None)
        if trouble is None:
            stop.set()
        raise trouble or StoreError("refused")

    open_when_reachable(
        opened, clock=FakeClock(), stop=stop, observer=lambda event: None, before_wait=heard.append
    )
    assert len(heard) >= 10
    assert max(heard) == LONGEST_PAUSE_S
