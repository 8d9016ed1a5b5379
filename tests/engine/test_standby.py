"""What a daemon that does not lead says about the leader's runs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from beatd.catalog import Plan, Stored
from beatd.engine.broker_outage import BrokerOutage
from beatd.engine.limits import Limits
from beatd.engine.standby import Standby
from beatd.errors import StoreError
from beatd.events import BrokerAway, Event, OnTime, Overdue
from beatd.publishers.memory import MemoryPublisher
from tests.fake_clock import FakeClock
from tests.fake_lease import holder
from tests.stores.making import entry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Setup(MemoryPublisher):
    """A standby whose leader has one entry, and ledger and publisher that count."""

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.told = FakeClock(NOON.isoformat()), list[Event]()
        self.due: datetime | None = NOON
        self.looks = self.checks = 0
        self.is_up, self.is_store_away = True, False
        broker = BrokerOutage(self, clock=self.clock, emit=self.told.append)
        ledger: Any = self
        self.standby = Standby(
            ledger, broker, self.clock, self.told.append, Limits(overdue=timedelta(seconds=10))
        )

    def upcoming(self, limit: int) -> Sequence[Stored]:
        self.looks += 1
        if self.is_store_away:
            raise StoreError("away")
        assert limit == 1
        return [Stored(entry("a"), 1, False, Plan(self.due, self.due, "", ""), 0, None)]

    def reachable(self) -> bool:
        self.checks += 1
        return self.is_up

    def after(self, seconds: float, *, has_leader: bool = True) -> list[Event]:
        """Return what it says after so many seconds."""
        self.clock.advance(seconds=seconds)
        self.told.clear()
        self.standby.watch(holder("leader") if has_leader else None, self.clock.now())
        return list(self.told)


@pytest.fixture
def setup() -> Setup:
    return Setup()


def test_a_run_that_is_late_is_reported_once_and_taken_back_once(setup: Setup) -> None:
    assert setup.after(10) == []
    assert setup.after(1) == [Overdue("a", NOON, 11.0)]
    assert setup.after(1) == []
    setup.due = setup.clock.now()
    assert setup.after(10) == [OnTime()]
    assert setup.after(0.5) == []
    assert setup.after(0.5) == [Overdue("a", setup.due, 11.0)]
    setup.due = None
    assert setup.after(1) == [OnTime()]


def test_a_daemon_that_has_just_begun_to_watch_reports_nothing(setup: Setup) -> None:
    setup.due = NOON - timedelta(hours=1)
    assert setup.after(9) == []
    assert setup.after(1) == []
    assert [type(event) for event in setup.after(1)] == [Overdue]


@pytest.mark.parametrize("has_led", [True, False])
def test_it_begins_to_watch_when_there_is_a_leader_again(setup: Setup, has_led: bool) -> None:
    setup.after(11)
    if has_led:
        setup.standby.ends()
    else:
        assert setup.after(11, has_leader=False) == [OnTime()]
    assert setup.after(10) == []
    assert [type(event) for event in setup.after(1)] == [Overdue]


def test_store_and_broker_are_looked_at_now_and_then(setup: Setup) -> None:
    setup.after(0)
    assert (setup.looks, setup.checks) == (1, 1)
    setup.after(0.9)
    assert (setup.looks, setup.checks) == (1, 1)
    setup.after(0.1)
    assert (setup.looks, setup.checks) == (2, 1)
    setup.after(1)
    assert (setup.looks, setup.checks) == (3, 2)
    setup.is_up = False
    assert setup.after(2) == [BrokerAway("no answer")]
    assert (setup.looks, setup.checks) == (4, 3)
    setup.after(1)
    assert (setup.looks, setup.checks) == (5, 4)  # a broker that is away is asked each time


def test_a_store_that_is_away_is_asked_each_time(setup: Setup) -> None:
    setup.is_store_away = True
    for _ in range(3):
        with pytest.raises(StoreError):
            setup.after(0.1)
    assert setup.looks == 3
