"""The leader's thread that reads outcomes: on a store in memory, with batches of the test's own."""

from collections import deque
from datetime import timedelta

import pytest
from msgspec.structs import replace

from beatd.daemon.outcome_thread import LONGEST_AWAY_PAUSE_S, OutcomeThread
from beatd.daemon.outcome_writer import WRITTEN_MAX
from beatd.definition import codec
from beatd.errors import StoreError
from beatd.events import Event, OutcomesAway, OutcomesBack, OutcomesRead, RunsFailed
from beatd.outcome import Delivery, OutcomeState
from beatd.outcomes.outcome_reader import OutcomeBatch
from beatd.run import Occurrence, task_id
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.stores.making import NOON, at, lead, row
from tests.stores.running_runs import delivery as reported
from tests.stores.running_runs import put_queued, started, waiting


class Reader:
    """Returns the batches of the test; raises those that are exceptions."""

    hears_workers = True

    def __init__(self) -> None:
        self.batches: deque[OutcomeBatch | Exception] = deque()
        self.unacknowledged: OutcomeBatch | None = None
        self.acknowledged = self.closed = self.reads = 0

    def read(self) -> OutcomeBatch:
        self.reads += 1
        if self.unacknowledged is not None:
            return self.unacknowledged
        found = self.batches.popleft() if self.batches else OutcomeBatch()
        if isinstance(found, Exception):
            raise found
        self.unacknowledged = found
        return found

    def acknowledge(self) -> None:
        self.acknowledged += self.unacknowledged is not None
        self.unacknowledged = None

    def close(self) -> None:
        self.closed += 1


class Broken(MemoryStore):
    """A store that can be away, and that counts what it writes."""

    away: Exception | None = None
    transactions: tuple[int, ...] = ()

    def write_outcomes(self, deliveries, at):  # type: ignore[no-untyped-def]
        if self.away is not None:
            raise self.away
        self.transactions += (len(deliveries),)
        return super().write_outcomes(deliveries, at)


class World:
    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock, self.reader, self.term = clock or FakeClock(), Reader(), 1
        self.store = Broken(codec=codec, clock=self.clock)
        self.told: list[Event] = []
        self.wakes = self.rests = 0
        self.thread = OutcomeThread(
            reader=self.reader,
            store=Roles.of(self.store),
            clock=self.clock,
            nth_lead=lambda: self.term,
            wake=self._wake,
            rest=self._rest,
            tell=self.told.append,
            queue_of=lambda entry: str(entry.options["queue"]),
        )

    def _wake(self) -> None:
        self.wakes += 1

    def _rest(self, seconds: float) -> None:
        self.rests += 1

    def delivery(self, state: OutcomeState, name: str = "e", **more: object) -> Delivery:
        now = self.clock.now()
        run = task_id(self.store.namespace, Occurrence(name, now))
        known = {"task_id": run, "delivery": "d", "name": name, "planned": now, "at": now}
        return Delivery(**{**known, "state": state, **more})  # type: ignore[arg-type]

    def arrives(self, *deliveries: Delivery, **more: object) -> None:
        self.reader.batches.append(OutcomeBatch(deliveries=deliveries, **more))  # type: ignore[arg-type]

    def turn(self, seconds: float = 0) -> float:
        """One turn and, with seconds, more of them until they are over."""
        pause = self.thread.turn()
        while seconds > 0:
            self.clock.advance(seconds=1)
            seconds -= 1
            pause = self.thread.turn()
        return pause

    def events(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.told if type(event) is kind]

    def states(self, run: Delivery) -> list[str]:
        return [one.state for one in self.store.outcomes([run.task_id]).get(run.task_id, ())]


@pytest.fixture
def world() -> World:
    return World()


def test_what_was_read_is_written_and_then_acknowledged(world: World) -> None:
    run = world.delivery("succeeded")
    world.arrives(run)
    world.turn()
    assert world.states(run) == ["succeeded"] and world.reader.acknowledged == 1
    assert world.events(OutcomesRead) == [OutcomesRead(deliveries=[run])]


def test_a_standby_reads_nothing(world: World) -> None:
    world.term = 0
    world.turn(5)
    assert not world.reader.reads


def test_a_deposed_leader_closes_its_connection_and_forgets_what_it_did_not_write(
    world: World,
) -> None:
    run = world.delivery("succeeded")
    world.arrives(run)
    world.store.away = StoreError("no")
    world.turn()
    world.term, world.store.away = 0, None
    world.turn()
    assert world.reader.closed == 1 and not world.reader.acknowledged
    assert world.states(run) == []


def test_a_store_that_is_away_loses_nothing(world: World) -> None:
    run = world.delivery("succeeded")
    world.arrives(run)
    world.store.away = StoreError("no")
    world.turn(3)
    assert not world.reader.acknowledged and not world.events(OutcomesAway)
    world.store.away = None
    world.turn()
    assert world.states(run) == ["succeeded"] and world.reader.acknowledged == 1


def test_a_broker_that_is_away_is_said_once_and_tried_less_and_less_often(world: World) -> None:
    world.reader.batches += [OSError("refused")] * 9
    pauses = [world.turn() for _ in range(9)]
    assert pauses == sorted(pauses) and pauses[-1] == LONGEST_AWAY_PAUSE_S
    assert world.events(OutcomesAway) == [OutcomesAway("refused")]
    world.clock.advance(seconds=20)
    world.turn()
    assert world.events(OutcomesBack) == [OutcomesBack(20.0)]


def test_a_burst_is_written_in_small_transactions_with_a_pause_after_each(world: World) -> None:
    runs = [world.delivery("succeeded", f"e{nth}") for nth in range(10_000)]
    world.arrives(*runs)
    world.turn()
    assert world.store.transactions == (WRITTEN_MAX,) * 50 and world.rests == 50
    assert world.reader.acknowledged == 1


def test_a_store_that_fails_within_a_burst_goes_on_where_it_stopped(world: World) -> None:
    runs = [world.delivery("succeeded", f"e{nth}") for nth in range(3 * WRITTEN_MAX)]
    world.arrives(*runs)

    def fails(seconds: float) -> None:
        world.store.away = StoreError("no")

    world.thread._writer._rest = fails  # after the first transaction
    world.turn()
    assert world.store.transactions == (WRITTEN_MAX,) and not world.events(OutcomesRead)
    world.store.away, world.thread._writer._rest = None, world._rest
    world.turn()
    (event,) = world.events(OutcomesRead)
    assert isinstance(event, OutcomesRead)
    assert len(event.deliveries) == 3 * WRITTEN_MAX and event.late == 0
    assert world.store.transactions == (WRITTEN_MAX,) * 3


def test_reports_of_other_stores_are_counted_and_not_written(world: World) -> None:
    other = world.delivery("succeeded", task_id="another's")
    world.arrives(other, dropped=3, unreadable=2)
    world.turn()
    (event,) = world.events(OutcomesRead)
    assert event == OutcomesRead(deliveries=[], unknown=1, dropped=3, unreadable=2)
    assert world.states(other) == []


def test_a_report_about_an_ended_run_is_counted_as_late(world: World) -> None:
    run = world.delivery("succeeded")
    world.arrives(run)
    world.arrives(run)
    world.turn()
    world.turn()
    assert [event.late for event in world.events(OutcomesRead)] == [0, 1]  # type: ignore[attr-defined]


def test_the_end_has_the_runtime_though_the_start_was_read_before(world: World) -> None:
    now = world.clock.now()
    world.arrives(world.delivery("started", started=now))
    ended = world.delivery("succeeded", finished=now + timedelta(seconds=3))
    world.arrives(ended)
    world.turn()
    world.turn()
    started, succeeded = world.events(OutcomesRead)
    assert isinstance(started, OutcomesRead) and started.started == 1
    assert isinstance(succeeded, OutcomesRead) and succeeded.started == 0
    assert succeeded.deliveries[0].runtime == 3


def test_a_run_that_its_worker_no_longer_names_is_lost_after_30_s(world: World) -> None:
    run = world.delivery("started")
    world.arrives(run)
    world.turn(20)
    world.arrives(held=[(run.task_id, "d")])
    world.turn(29)
    assert world.states(run) == ["started"]
    world.turn(5)
    assert world.states(run) == ["lost"]
    (failed,) = world.events(RunsFailed)
    assert isinstance(failed, RunsFailed) and failed.deliveries[0].state == "lost"


def test_the_next_leader_goes_on_with_what_the_last_one_left(world: World) -> None:
    run = world.delivery("started")
    world.arrives(run)
    world.turn(20)
    world.term = 0
    world.turn(100)
    world.term = 2
    world.turn(29)
    assert world.states(run) == ["started"]  # it counts as named at the start of the lead
    world.turn(5)
    assert world.states(run) == ["lost"]


def test_nothing_is_lost_while_the_broker_is_away(world: World) -> None:
    run = world.delivery("started")
    world.arrives(run)
    world.turn(20)
    world.reader.batches += [OSError("refused")] * 300
    world.turn(300)
    assert world.states(run) == ["started"]
    world.turn(5)
    assert world.states(run) == ["started"]
    world.turn(15)
    assert world.states(run) == ["lost"]


def test_failures_are_told_at_most_once_a_second(world: World) -> None:
    for nth in range(3):
        world.arrives(world.delivery("failed", f"e{nth}"), is_last=False)
    world.arrives(*(world.delivery("failed", f"f{nth}") for nth in range(20)))
    for _ in range(4):
        world.turn()
    (first,) = world.events(RunsFailed)
    assert isinstance(first, RunsFailed) and len(first.deliveries) == 1 and not first.more
    world.turn(1)
    _, second = world.events(RunsFailed)
    assert isinstance(second, RunsFailed)
    assert len(second.deliveries) == 5 and second.more == 17


def test_an_unforeseen_error_stops_only_its_batch(world: World) -> None:
    run = world.delivery("succeeded")
    world.arrives(world.delivery("failed"))
    world.arrives(run)
    world.store.away = ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        world.turn()
    world.store.away = None
    world.turn()
    assert world.states(run) == ["succeeded"] and world.reader.acknowledged == 2


@pytest.fixture
def noon() -> World:
    """A world at the moment around which the entries of the stores' tests are planned."""
    return World(FakeClock(NOON.isoformat()))


def test_the_end_of_a_run_wakes_the_beat_if_an_entry_waits_for_it(noon: World) -> None:
    store = noon.store
    term = lead(store)
    run = started(store, put_queued(store), term)
    assert list(store.claim([waiting(store, row(store))], term, at(10))) == [True]
    noon.arrives(reported(run, "started"))
    noon.turn()
    assert not noon.wakes
    noon.clock.move_to(at(20))
    noon.arrives(reported(run, "failed"))
    noon.turn()
    assert noon.wakes == 1 and row(store).plan.due == at(20)


def test_the_end_of_a_running_run_wakes_the_beat_as_a_plan_may_just_come_to_wait(
    noon: World,
) -> None:
    store, term = noon.store, lead(noon.store)
    run = started(store, put_queued(store), term)
    wait, write = waiting(store, row(store)), store.write_outcomes

    def claims_first(deliveries, when):  # type: ignore[no-untyped-def]
        assert list(store.claim([wait], term, at(10))) == [True]
        return write(deliveries, when)

    store.write_outcomes = claims_first  # type: ignore[method-assign]
    noon.arrives(reported(run, "succeeded"))
    noon.turn()
    assert noon.wakes == 1 and row(store).running is None


def test_the_end_of_a_run_that_does_not_count_as_running_wakes_nobody(noon: World) -> None:
    noon.arrives(noon.delivery("succeeded"))
    noon.turn()
    assert not noon.wakes


def test_a_write_whose_reply_was_lost_wakes_the_beat_all_the_same(noon: World) -> None:
    store = noon.store
    term = lead(store)
    run = started(store, put_queued(store), term)
    store.claim([waiting(store, row(store))], term, at(10))
    write = store.write_outcomes

    def loses_its_reply(deliveries, when):  # type: ignore[no-untyped-def]
        write(deliveries, when)
        store.write_outcomes = write  # type: ignore[method-assign]
        raise StoreError("the connection broke")

    store.write_outcomes = loses_its_reply  # type: ignore[method-assign]
    noon.arrives(reported(run, "succeeded"))
    noon.turn()
    assert not noon.wakes
    noon.turn()
    assert noon.wakes == 1


def test_a_start_that_is_read_again_after_the_end_does_not_count_as_executed(world: World) -> None:
    world.arrives(world.delivery("succeeded"))
    world.arrives(world.delivery("started"))  # the leader before had not acknowledged it
    world.turn(1)
    assert [event.started for event in world.events(OutcomesRead)] == [0, 0]  # type: ignore[attr-defined]


def test_a_worker_whose_clock_is_ahead_is_not_believed(world: World) -> None:
    planned, hour = world.clock.now(), timedelta(hours=1)
    started = world.delivery("started", at=planned + hour, started=planned + hour)
    world.arrives(started)
    world.turn()
    world.clock.advance(seconds=3)
    end = planned + hour + timedelta(seconds=3)
    world.arrives(replace(started, state="failed", at=end, started=None, finished=end))
    world.turn()
    _, event = world.events(OutcomesRead)
    assert isinstance(event, OutcomesRead)
    (failed,) = event.deliveries
    assert failed.finished == world.clock.now() and failed.runtime == 3


def test_a_run_that_its_worker_still_names_is_prolonged_and_a_silent_one_is_lost(
    noon: World,
) -> None:
    run = started(noon.store, put_queued(noon.store), lead(noon.store))  # until 60 s
    noon.arrives(reported(run, "started"))
    for _ in range(10):
        noon.arrives(held=[(run.task_id, reported(run).delivery)])
        noon.turn(10)
    running = row(noon.store).running
    assert running is not None and running.until > noon.clock.now() + timedelta(seconds=20)
    noon.turn(32)
    assert noon.states(reported(run)) == ["lost"] and row(noon.store).running is None


def test_changes_of_leader_do_not_keep_the_run_of_a_dead_worker_running(noon: World) -> None:
    run = started(noon.store, put_queued(noon.store), lead(noon.store))
    noon.arrives(reported(run, "started", worker="dead"))
    for _ in range(4):
        noon.turn(8)
        noon.term += 1
    noon.turn(2)
    assert noon.states(reported(run)) == ["lost"] and row(noon.store).running is None


def test_a_run_whose_start_an_earlier_leader_wrote_after_its_lead_is_lost_too(noon: World) -> None:
    run = started(noon.store, put_queued(noon.store), lead(noon.store))
    noon.turn()
    noon.store.write_outcomes([reported(run, "started")], noon.clock.now())
    noon.arrives(held=[(run.task_id, reported(run).delivery)])
    noon.turn()
    noon.turn(32)
    assert noon.states(reported(run)) == ["lost"] and row(noon.store).running is None
