"""Claim, publish and record in one script: which batches it makes, and when it must not."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest
from celery import Celery
from msgspec import Struct

from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.dispatch import Dispatch
from beatd.dispatches.atomic_dispatch import AtomicDispatch, Flight
from beatd.engine.tick import Tick
from beatd.errors import StoreError
from beatd.events import Sent
from beatd.leader import Term
from beatd.ledger import Move, RunningChange, StepOutcomes
from beatd.publisher import Outcome, Push
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.memory import MemoryPublisher
from beatd.run import Run
from beatd.stores.embedded.memory import MemoryStore
from beatd.stores.redis import RedisStore
from beatd.wiring.backends import open_dispatch
from tests.cable import Cable
from tests.fake_clock import FakeClock
from tests.fleet import Fleet
from tests.stores.making import asked, at, lead, open_claims, put, put_many, request_of, row, step
from tests.stores.redis.conftest import open_store
from tests.stores.redis.servers import Start
from tests.stores.running_runs import UNTIL, put_queued, skipping, started, starting, waiting

__all__ = ["open_store"]

CONFIRMED = Outcome("confirmed")


def made(dispatch: Dispatch, moves: Sequence[Move], term: Term) -> list[bool]:
    return list(dispatch.claim(moves, term).publish(lambda: True).made)


def test_a_broker_that_became_another_server_gets_its_messages(
    start: Start, open_store: Callable[[str], RedisStore]
) -> None:
    one, other = start(), start()
    cable = Cable("127.0.0.1", one.port)
    app = Celery("proj", broker=f"redis://127.0.0.1:{cable.port}/0", set_as_current=False)
    store, publisher = open_store(one.url), CeleryPublisher(app=app, timeout=2.0)
    dispatch = open_dispatch(store, publisher, clock=SystemClock())
    assert dispatch.atomic
    term, found = lead(store), put_many(store, ["a", "b", "c"])
    for stored in found:
        assert made(dispatch, [step(store, stored)], term) == [True]
        if stored.entry.name == "a":
            cable.lead_to(other.port)
    publisher.close()
    cable.pull_out()
    assert not dispatch.atomic
    assert (one.admin.llen("celery"), other.admin.llen("celery")) == (1, 2)


def test_what_was_prepared_and_may_not_go_keeps_no_connection(
    start: Start, open_store: Callable[[str], RedisStore]
) -> None:
    server = start()
    app = Celery("proj", broker=server.url, set_as_current=False)
    store, publisher = open_store(server.url), CeleryPublisher(app=app, timeout=2.0)
    dispatch = open_dispatch(store, publisher, clock=SystemClock())
    term = lead(store)
    batch = [step(store, stored) for stored in put_many(store, ["a", "b", "c"])]
    dispatch.prepare([batch[:2], batch[2:]], term, datetime.now(UTC))
    before = len(server.admin.client_list())
    dispatch.drop_prepared()
    assert len(server.admin.client_list()) == before - 2
    assert made(dispatch, batch, term) == [True] * 3
    publisher.close()


Daemon = tuple[RedisStore, AtomicDispatch]


@pytest.fixture
def open_daemon(
    start: Start, open_store: Callable[[str], RedisStore]
) -> Iterator[Callable[[], Daemon]]:
    """Return a store and a dispatch as another daemon has them, all on one Redis."""
    server, publishers = start(), list[CeleryPublisher]()

    def open_one() -> Daemon:
        app = Celery("proj", broker=server.url, set_as_current=False)
        store, publisher = open_store(server.url), CeleryPublisher(app=app, timeout=2.0)
        publishers.append(publisher)
        dispatch = open_dispatch(store, publisher, clock=SystemClock())
        assert isinstance(dispatch, AtomicDispatch)
        return store, dispatch

    yield open_one
    for publisher in publishers:
        publisher.close()


def queued(store: RedisStore) -> int:
    return store._server.client.llen("celery")


def test_an_entry_that_allows_no_overlap_is_claimed_in_the_step_that_publishes_it(
    open_daemon: Callable[[], Daemon],
) -> None:
    store, dispatch = open_daemon()
    move, term = starting(store, put_queued(store)), lead(store)
    dispatch.prepare([[move]], term, datetime.now(UTC))
    claimed = dispatch.claim([move], term)
    published = claimed.publish(lambda: True)
    assert (list(published.made), list(claimed.left)) == ([True], [])
    assert not published.unrecorded and not open_claims(store), "no outcome is unknown"
    assert move.run is not None and store.running(None)["tidy"].task_id == move.run.task_id
    assert queued(store) == 1


@pytest.mark.parametrize("by_hand_first", [False, True])
def test_of_two_daemons_that_saw_no_running_run_one_publishes(
    open_daemon: Callable[[], Daemon], by_hand_first: bool
) -> None:
    (store, one), (_, other) = open_daemon(), open_daemon()
    stored, term = put_queued(store), lead(store)
    request = request_of(stored)
    store.add_requests([request])
    moves = [
        starting(store, stored),
        asked(store, request, stored, running=RunningChange("", UNTIL)),
    ]
    if by_hand_first:
        moves.reverse()
    for dispatch, move in zip((one, other), moves, strict=True):
        dispatch.prepare([[move]], term, datetime.now(UTC))
    assert [made(one, moves[:1], term), made(other, moves[1:], term)] == [[True], [False]]
    assert moves[0].run is not None and row(store).running is not None
    assert row(store).running.task_id == moves[0].run.task_id
    assert queued(store) == 1


def test_moves_that_skip_or_wait_take_the_steps(open_daemon: Callable[[], Daemon]) -> None:
    store, dispatch = open_daemon()
    term = lead(store)
    for name in ("skips", "waits"):
        started(store, put_queued(store, name), term)
    put_queued(store, "runs", 10)
    skips, waits = skipping(store, row(store, "skips")), waiting(store, row(store, "waits"))
    moves = [skips, starting(store, row(store, "runs")), waits]
    claimed = dispatch.claim(moves, term)
    assert list(claimed.left) == [skips, waits]
    assert list(claimed.publish(lambda: True).made) == [True]
    assert made(dispatch, claimed.left, term) == [True, True]
    assert row(store, "waits").running.waits
    assert row(store, "skips").plan.planned == at(10)
    assert queued(store) == 1


class Ledger(MemoryStore):
    """A step claims as the store does; remembers in which way and how many moves at once."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(codec=codec, clock=clock)
        self.claimed: list[int] = []
        self.stepped: list[int] = []
        self.breaks_at = -1

    def identity(self) -> tuple[str, int]:
        return "one", 0

    def step(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> "Begun":
        return Begun(self, moves)

    def write_up(self, limit: int) -> bool:
        return False

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        self.claimed.append(len(moves))
        return super().claim(moves, term, at)


class Begun(Struct):
    ledger: Ledger
    moves: Sequence[Move]

    def send_ahead(self) -> None: ...

    def drop(self) -> None: ...

    def begin(self, term: Term, at: datetime) -> StepOutcomes:
        if len(self.ledger.stepped) == self.ledger.breaks_at:
            raise StoreError("no answer in time")
        self.ledger.stepped.append(len(self.moves))
        made = MemoryStore.claim(self.ledger, self.moves, term, at)
        return lambda: [CONFIRMED if ok else None for ok in made]


class Lists(MemoryPublisher):
    """A publisher whose messages end on lists, but for those with options."""

    def server(self) -> tuple[str, int]:
        return "one", 0

    def asked(self) -> bool:
        return True

    def pushes(self, runs: Sequence[Run]) -> Sequence[Sequence[Push] | Outcome]:
        return [
            Outcome("unsent", "a fanout") if run.entry.options else [Push("celery", b"{}")]
            for run in runs
        ]


class One(Fleet):
    """A household on one Redis of its own kind, whose daemon sends 400 entries in four batches."""

    def __init__(self) -> None:
        super().__init__(batch=100)
        self.store = self.ledger = Ledger(self.clock)

    def daemon(self) -> Tick:
        engine, publisher = super().daemon(), Lists()
        engine.use(AtomicDispatch(ledger=self.ledger, publisher=publisher, clock=self.clock))
        return engine

    def sent(self) -> list[int]:
        return [len(event.results) for event in self.told if isinstance(event, Sent)]


def test_what_takes_the_steps_comes_in_its_batches() -> None:
    house = One()
    for n in range(400):
        house.add(f"fanout {n}", every="1m", options={"queue": "fanout"})
    house.minutes(house.daemon(), 1)
    assert (house.ledger.claimed, house.ledger.stepped, house.sent()) == ([100] * 4, [], [100] * 4)


def test_what_is_left_of_batches_takes_the_steps_after_them() -> None:
    house = One()
    for n in range(400):
        house.add(f"entry {n}", every="1m", options={"queue": "fanout"} if n % 4 == 0 else {})
    house.minutes(house.daemon(), 1)
    assert (len(house.ledger.stepped), sum(house.ledger.stepped)) == (4, 300)
    assert sum(house.ledger.claimed) == 100
    assert sum(house.sent()) == 400


def test_what_was_done_is_told_though_the_next_cannot_begin() -> None:
    house = One()
    for n in range(400):
        house.add(f"entry {n}", every="1m")
    house.ledger.breaks_at = 2
    engine = house.daemon()
    house.minutes(engine, 59.99 / 60)
    house.clock.advance(seconds=0.01)
    engine.tick()
    assert house.sent() == [100, 100]


def test_a_chain_and_a_group_are_claimed_in_the_step_that_publishes_them(
    open_daemon: Callable[[], Daemon],
) -> None:
    store, dispatch = open_daemon()
    term = lead(store)
    stored = [
        put(store, "row", task=None, chain=["proj.a", "proj.b"]),
        put(store, "fan", task=None, group=["proj.a", "proj.b", "proj.a"]),
    ]
    moves = [step(store, one) for one in stored]
    dispatch.prepare([moves], term, datetime.now(UTC))
    claimed = dispatch.claim(moves, term)
    published = claimed.publish(lambda: True)
    assert (list(published.made), list(claimed.left)) == ([True, True], [])
    assert [result.outcome for result in published.results] == [CONFIRMED] * 2
    assert not published.unrecorded and not open_claims(store), "no outcome is unknown"
    assert queued(store) == 1 + 3


def test_a_chord_takes_the_steps(start: Start, open_store: Callable[[str], RedisStore]) -> None:
    """The result backend is written between the claim and the messages."""
    server = start()
    app = Celery("proj", broker=server.url, backend=server.url, set_as_current=False)
    store, publisher = open_store(server.url), CeleryPublisher(app=app, timeout=2.0)
    dispatch = open_dispatch(store, publisher, clock=SystemClock())
    term = lead(store)
    stored = put(store, task=None, chord={"header": ["proj.a", "proj.a"], "body": "proj.b"})
    moves = [step(store, stored)]
    claimed = dispatch.claim(moves, term)
    assert list(claimed.left) == [] and not isinstance(claimed, Flight)
    published = claimed.publish(lambda: True)
    publisher.close()
    app.backend.client.connection_pool.disconnect()
    assert [result.outcome for result in published.results] == [CONFIRMED]
    assert queued(store) == 2
    sizes = [server.admin.get(key) for key in server.admin.keys("chord-unlock-*.s")]
    sizes += [server.admin.get(key) for key in server.admin.keys("celery-taskset-meta-*.s")]
    assert sizes == [b"2"]
