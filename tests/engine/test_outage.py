"""When a server counts as away, how long it is left alone, and which runs that explains."""

from datetime import UTC, datetime, timedelta

import pytest

from beatd.dispatch import Published
from beatd.engine.broker_outage import BrokerOutage
from beatd.engine.outage import Outage
from beatd.engine.outage_causes import OutageCauses
from beatd.engine.store_outage import StoreOutage
from beatd.errors import StoreError
from beatd.events import BrokerAway, BrokerBack, Event, StoreAway, StoreBack
from beatd.ledger import Result
from beatd.publisher import Outcome
from beatd.publishers.memory import MemoryPublisher
from beatd.run import Occurrence, Run, Skip
from tests.fake_clock import FakeClock
from tests.stores.making import entry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON.isoformat())


@pytest.fixture
def told() -> list[Event]:
    return []


def test_the_pause_doubles_up_to_half_a_second_and_begins_anew_with_the_next_outage() -> None:
    told = list[Event]()
    outage = Outage(BrokerAway, BrokerBack, clock=FakeClock(), emit=told.append)
    for _ in range(2):
        outage.begin("refused")
        pauses = [outage.back_off().total_seconds() for _ in range(6)]
        assert pauses == [0.05, 0.1, 0.2, 0.4, 0.5, 0.5]
        outage.end()
    assert told == [BrokerAway("refused"), BrokerBack(0.0)] * 2


def test_an_outage_lasts_from_its_begin_and_has_its_newest_reason(
    clock: FakeClock, told: list[Event]
) -> None:
    outage = Outage(BrokerAway, BrokerBack, clock=clock, emit=told.append)
    assert (outage.over, outage.lasts, outage.reason) == (True, 0.0, "")
    outage.begin("refused", since=clock.elapsed() - 2)
    clock.advance(seconds=3)
    outage.begin("reset", since=clock.elapsed())
    assert (outage.over, outage.lasts, outage.reason) == (False, 5.0, "reset")
    outage.end()
    outage.end()
    assert (outage.over, outage.lasts, outage.reason) == (True, 0.0, "")
    assert told == [BrokerAway("refused"), BrokerBack(5.0)]


@pytest.mark.parametrize("notes_writes", [True, False])
def test_an_outage_of_the_store_ends_with_an_answer_or_a_write(
    clock: FakeClock, told: list[Event], notes_writes: bool
) -> None:
    store = StoreOutage(clock=clock, emit=told.append, notes_writes=notes_writes)
    assert store.failed(StoreError("away")) == timedelta(seconds=0.05)
    clock.advance(seconds=1)
    store.answered()
    assert store.over is not notes_writes
    store.succeeded()
    store.answered()
    assert told == [StoreAway("away"), StoreBack(1.0)]


def test_a_store_that_refuses_writes_is_away_until_one_succeeds(
    clock: FakeClock, told: list[Event]
) -> None:
    store = StoreOutage(clock=clock, emit=told.append, notes_writes=True)
    assert store.is_proven is True
    store.answered()
    store.refused("disk full")
    assert (told, store.is_proven) == ([], False)
    store.answered()
    store.answered()
    store.succeeded()
    assert store.over is False
    store.answered()
    assert told == [StoreAway("it refuses writes: disk full"), StoreBack(0.0)]


class CountingPublisher(MemoryPublisher):
    is_up, checks, reason = True, 0, ""

    def reachable(self) -> bool:
        self.checks += 1
        return self.is_up

    def trouble(self) -> str:
        return self.reason


def test_a_broker_that_answered_is_not_asked_again(clock: FakeClock, told: list[Event]) -> None:
    publisher = CountingPublisher()
    broker = BrokerOutage(publisher, clock=clock, emit=told.append)
    assert broker.last_checked_s == float("inf")
    assert [broker.answers(), broker.answers(), publisher.checks] == [True, True, 1]
    clock.advance(seconds=3)
    assert broker.last_checked_s == 3
    broker.forget()
    assert [broker.answers(), broker.answers(), publisher.checks] == [True, True, 2]
    publisher.is_up = False
    broker.forget()
    assert [broker.answers(), broker.answers(), publisher.checks] == [False, False, 4]
    publisher.reason = "refused"
    assert [broker.answers(), broker.reason] == [False, "refused"]
    publisher.is_up = True
    assert broker.answers() is True
    assert told == [BrokerAway("no answer"), BrokerBack(0.0)]


def published(outcome: Outcome) -> Published:
    run = Run(Occurrence("a", NOON), "id", entry("a"), 1, NOON, None, "planned")
    results = [Result(run, outcome, NOON, NOON)]
    return Published([], [], results, results)


def test_an_outage_that_a_batch_shows_began_with_the_batch(
    clock: FakeClock, told: list[Event]
) -> None:
    broker = BrokerOutage(CountingPublisher(), clock=clock, emit=told.append)
    began = clock.elapsed()
    clock.advance(seconds=5)
    broker.learn([published(Outcome("confirmed"))], began)
    assert broker.over
    doubt = published(Outcome("unsent", "refused"))
    broker.learn([published(Outcome("confirmed")), doubt], began)
    assert (broker.lasts, broker.reason) == (5.0, "refused")


def skip(first_s: float, last_s: float) -> Skip:
    return Skip(NOON + timedelta(seconds=first_s), NOON + timedelta(seconds=last_s), 1, "missed")


def test_runs_that_were_missed_during_an_outage_have_its_cause(
    clock: FakeClock, told: list[Event]
) -> None:
    causes = OutageCauses(clock, told.append, noticed_within_s=5)
    assert causes.of(skip(0, 0)) == ""
    clock.advance(seconds=100)
    causes(StoreAway("refused"))
    assert causes.of(skip(0, 94.9)) == ""
    assert causes.of(skip(0, 95)) == causes.of(skip(500, 501)) == "the store was away"
    clock.advance(seconds=10)
    causes(StoreBack(10))
    assert causes.of(skip(110, 200)) == "the store was away"
    assert causes.of(skip(110.1, 200)) == ""
    causes(BrokerAway("refused"))
    assert causes.of(skip(300, 300)) == "the broker was away"
    assert told == [StoreAway("refused"), StoreBack(10), BrokerAway("refused")]


def test_runs_that_were_missed_before_this_lead_have_no_leader(
    clock: FakeClock, told: list[Event]
) -> None:
    causes = OutageCauses(clock, told.append, noticed_within_s=5)
    causes.leads(NOON)
    assert causes.of(skip(-0.1, 10)) == "nobody led"
    assert causes.of(skip(0, 10)) == ""
