"""Claim and push in one step: which batches it makes, and when it must not be one."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from celery import Celery
from msgspec.structs import replace

from beatd.clock import SystemClock
from beatd.engine.dispatch_atomic import AtOnce
from beatd.errors import StoreError
from beatd.events import Event, Sent
from beatd.ledger import Move, Outcomes
from beatd.publisher import Outcome, Push
from beatd.publishers.celery import CeleryPublisher
from beatd.run import Run
from beatd.stores.redis import RedisStore
from beatd.wiring.backends import open_dispatch
from tests.cable import Cable
from tests.fake_clock import FakeClock
from tests.stores.making import lead, put_many, step
from tests.stores.redis.servers import Start

CONFIRMED = Outcome("confirmed")


def test_a_broker_that_became_another_server_gets_its_messages(
    start: Start, open_store: Callable[[str], RedisStore]
) -> None:
    one, other = start(), start()
    cable = Cable("127.0.0.1", one.port)
    app = Celery("proj", broker=f"redis://127.0.0.1:{cable.port}/0", set_as_current=False)
    store, publisher = open_store(one.url), CeleryPublisher(app=app, timeout=2.0)
    dispatch = open_dispatch(store, publisher, clock=SystemClock(), tell=lambda event: None)
    assert dispatch.atomic
    term, found = lead(store), put_many(store, ["a", "b", "c"])
    for stored in found:
        done = dispatch([[step(store, stored)]], term, lambda: True)
        assert list(done.made) == [True]
        if stored.entry.name == "a":
            cable.lead_to(other.port)
    publisher.close()
    cable.pull_out()
    assert not dispatch.atomic
    assert (one.admin.llen("celery"), other.admin.llen("celery")) == (1, 2)


@pytest.mark.parametrize("changed", [False, True])
def test_what_was_made_ready_goes_but_for_what_changed(
    start: Start, open_store: Callable[[str], RedisStore], changed: bool
) -> None:
    server = start()
    app = Celery("proj", broker=server.url, set_as_current=False)
    store, publisher = open_store(server.url), CeleryPublisher(app=app, timeout=2.0)
    dispatch = open_dispatch(store, publisher, clock=SystemClock(), tell=lambda event: None)
    term, found = lead(store), put_many(store, ["a", "b", "c"])
    batch = [step(store, stored) for stored in found]
    dispatch.get_ready([batch[:2], batch[2:]], term, datetime.now(UTC))
    assert server.admin.llen("celery") == 0
    going = [replace(batch[0]), *batch[1:]] if changed else batch
    assert list(dispatch([going[:2], going[2:]], term, lambda: True).made) == [True] * 3
    assert server.admin.llen("celery") == 3
    while dispatch.write_up():
        pass
    assert server.admin.xlen("beatd:{0}:history") == 3
    publisher.close()


def test_what_was_made_ready_and_may_not_go_keeps_no_connection(
    start: Start, open_store: Callable[[str], RedisStore]
) -> None:
    server = start()
    app = Celery("proj", broker=server.url, set_as_current=False)
    store, publisher = open_store(server.url), CeleryPublisher(app=app, timeout=2.0)
    dispatch = open_dispatch(store, publisher, clock=SystemClock(), tell=lambda event: None)
    term = lead(store)
    batch = [step(store, stored) for stored in put_many(store, ["a", "b", "c"])]
    dispatch.get_ready([batch[:2], batch[2:]], term, datetime.now(UTC))
    before = len(server.admin.client_list())
    assert not any(dispatch([batch[:2], batch[2:]], term, lambda: False).made)
    assert len(server.admin.client_list()) == before - 2
    assert list(dispatch([batch], term, lambda: True).made) == [True] * 3
    publisher.close()


class Ledger:
    """Takes everything, and remembers in which way and how many at once."""

    def __init__(self) -> None:
        self.claimed: list[int] = []
        self.stepped: list[int] = []
        self.breaks_at = -1

    def server(self) -> tuple[str, int]:
        return "one", 0

    def step(self, moves: Sequence[Move], pushes: Sequence[Sequence[Push]]) -> "Ledger":
        self._moves = moves
        return self

    def send_ahead(self) -> None: ...

    def drop(self) -> None: ...

    def begin(self, term: object, at: object) -> Outcomes:
        if len(self.stepped) == self.breaks_at:
            raise StoreError("no answer in time")
        self.stepped.append(len(self._moves))
        outcomes = [CONFIRMED] * len(self._moves)
        return lambda: outcomes

    def claim(self, moves: Sequence[Move], term: object, at: object) -> list[bool]:
        self.claimed.append(len(moves))
        return [True] * len(moves)

    def record(self, results: object) -> None: ...


class Publisher:
    def __init__(self, pushes: Sequence[Push] | Outcome) -> None:
        self._pushes = pushes

    def server(self) -> tuple[str, int]:
        return "one", 0

    def asked(self) -> bool:
        return True

    def pushes(self, runs: Sequence[Run]) -> list[Sequence[Push] | Outcome]:
        return [self._pushes] * len(runs)

    def publish(self, runs: Sequence[Run], may_go_on: object) -> list[Outcome]:
        return [CONFIRMED] * len(runs)


@pytest.fixture
def batches(start: Start, open_store: Callable[[str], RedisStore]) -> list[list[Move]]:
    store = open_store(start().url)
    (stored,) = put_many(store, ["a"])
    move = step(store, stored)
    assert move.run is not None
    return [[replace(move, run=replace(move.run, task_id=f"{n}-{m}")) for m in range(100)]
            for n in range(4)]  # fmt: skip


def at_once(ledger: Ledger, publisher: Publisher, tell: Callable[[Event], None]) -> AtOnce:
    made: Any = AtOnce
    return made(ledger=ledger, publisher=publisher, clock=FakeClock(), tell=tell)  # type: ignore[no-any-return]


def test_what_takes_the_steps_comes_in_its_batches(batches: Any) -> None:
    ledger = Ledger()
    dispatch = at_once(ledger, Publisher(Outcome("unsent", "a fanout")), lambda event: None)
    assert dispatch(batches, Any, lambda: True).made == [True] * 400
    assert (ledger.claimed, ledger.stepped) == ([100] * 4, [])


def test_what_was_done_is_told_though_the_next_cannot_begin(batches: Any) -> None:
    ledger, told = Ledger(), list[Event]()
    ledger.breaks_at = 2
    dispatch = at_once(ledger, Publisher([Push("celery", b"{}")]), told.append)
    with pytest.raises(StoreError):
        dispatch(batches, Any, lambda: True)
    assert [len(event.results) for event in told if isinstance(event, Sent)] == [100, 100]
