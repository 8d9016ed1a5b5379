"""A daemon's check-ins: published and rejected runs, outcomes, and what an earlier leader left."""

from datetime import UTC, datetime, timedelta

import pytest

from beatd import events
from beatd.alerts.channel import NotDelivered
from beatd.catalog import Change
from beatd.daemon.daemon_state import DaemonState
from beatd.daemon.monitor_thread import MonitorThread
from beatd.definition import codec
from beatd.entry import Entry, Monitor
from beatd.ledger import Result
from beatd.monitors.check_in import CheckIn
from beatd.outcome import Delivery, OutcomeState
from beatd.publisher import Outcome
from beatd.run import Occurrence, Run
from beatd.schedules import interval
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.stores.making import holder, plan

AT = datetime(2027, 1, 10, tzinfo=UTC)


class Noted:
    """A monitor that keeps what it gets; while `away` it takes nothing."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str, str]] = []
        self.away = False

    def wants(self, check_in: CheckIn) -> bool:
        return check_in.entry.monitor is not None and bool(check_in.entry.monitor.ping)

    def send(self, check_in: CheckIn) -> None:
        if self.away:
            raise NotDelivered("no answer: timed out")
        self.got.append((check_in.entry.name, check_in.state, check_in.text))

    def close(self) -> None:
        pass


class Head(DaemonState):
    def __init__(self, store: MemoryStore, clock: FakeClock) -> None:
        super().__init__(me=holder(), clock=clock)
        self.store, self.number = Roles.of(store), 1

    def nth_lead(self) -> int:
        return self.number


def entry(name: str, url: str = "https://hc.example/x") -> Entry:
    monitor = Monitor(ping=url) if url else None
    return Entry(name=name, task="t", schedule=interval("1h"), monitor=monitor)


def sent(one: Entry, outcome: Outcome) -> events.Sent:
    run = Run(Occurrence(one.name, AT), "id", one, 1, AT)
    return events.Sent.of([Result(run, outcome, AT + timedelta(seconds=1))], 0.1)


def read(name: str, state: OutcomeState, error: str = "") -> events.OutcomesRead:
    delivery = Delivery(
        task_id="id", delivery="d", name=name, planned=AT, state=state, at=AT, error=error
    )
    return events.OutcomesRead(deliveries=[delivery])


class World:
    def __init__(self) -> None:
        self.clock = FakeClock("2027-01-10T00:00:00+00:00")
        self.store = MemoryStore(codec=codec, clock=self.clock)
        for one in (entry("with"), entry("without", "")):
            assert all(self.store.write([Change(one.name, 0, one, plan(0))]))
        self.monitor = Noted()
        self.thread = self.leader()

    def leader(self) -> MonitorThread:
        head = Head(self.store, self.clock)
        self.thread = MonitorThread([self.monitor], state=head, observer=lambda event: None)
        return self.thread

    def see(self, *some: events.Event) -> list[tuple[str, str, str]]:
        for one in some:
            self.thread.events(one)
        self.thread.turn()
        got, self.monitor.got = self.monitor.got, []
        return got


@pytest.fixture
def world() -> World:
    return World()


def test_a_run_is_checked_in_when_it_is_published_and_when_it_ends(world: World) -> None:
    confirmed = sent(entry("with"), Outcome("confirmed"))
    assert world.see(confirmed) == [("with", "published", "")]
    assert world.see(read("with", "started"), read("with", "failed", "ValueError: x")) == [
        ("with", "start", ""),
        ("with", "fail", "failed: ValueError: x"),
    ]


def test_a_rejected_run_has_failed(world: World) -> None:
    found = world.see(sent(entry("with"), Outcome("rejected", "NO_ROUTE")))
    assert found == [("with", "fail", "not published: NO_ROUTE")]


def test_an_entry_without_a_monitor_is_not_looked_up(world: World) -> None:
    world.see(sent(entry("without", ""), Outcome("confirmed")), read("without", "succeeded"))
    assert not world.thread._any.is_set()
    assert not world.store.marks.has_monitors()


def test_a_new_leader_goes_on_with_what_the_one_before_has_published(world: World) -> None:
    world.see(sent(entry("with"), Outcome("confirmed")))
    world.leader()
    assert world.see(read("with", "succeeded")) == [("with", "success", "")]


def test_a_monitor_that_is_away_is_said_once_a_minute_and_holds_up_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.monitor.away = True
    world.see(*(sent(entry("with"), Outcome("confirmed")) for _ in range(3)))
    world.clock.advance(seconds=61)
    world.see(sent(entry("with"), Outcome("confirmed")))
    assert [record.getMessage() for record in caplog.records] == [
        "check-ins that did not reach their monitors: 1; the last is of with: no answer: timed out",
        "check-ins that did not reach their monitors: 3; the last is of with: no answer: timed out",
    ]
