"""Which steps of the host's clock are reported."""

from datetime import timedelta

import pytest

from beatd.engine.clock_steps import ClockSteps
from beatd.events import ClockStepped, Event
from tests.fake_clock import FakeClock


@pytest.mark.parametrize(("step", "is_noticed"), [(0, 0), (1, 0), (-1, 0), (1.5, 1), (-3600, 1)])
def test_a_step_of_more_than_a_second_is_reported_once(step: float, is_noticed: bool) -> None:
    clock, told = FakeClock(), list[Event]()
    steps = ClockSteps(clock, told.append)
    clock.advance(hours=1)
    assert steps.notice(clock.now()) is False
    clock.advance(seconds=5)
    clock._now += timedelta(seconds=step)
    assert steps.notice(clock.now()) is bool(is_noticed)
    assert steps.notice(clock.now()) is False
    assert told == [ClockStepped(step)] * is_noticed
