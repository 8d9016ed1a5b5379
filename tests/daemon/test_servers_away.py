"""What a daemon says of a store that takes no writes, and of a lock that cannot be used."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from beatd.daemon.daemon import Daemon
from beatd.daemon.parts import Parts
from beatd.daemon.status import health_of, state_of, status_of
from beatd.daemon.store_status import status_in
from beatd.definition import codec
from beatd.engine.dispatch import InSteps
from beatd.errors import StoreError
from beatd.events import Event, LockAway, LockBack, StoreAway, StoreBack
from beatd.leader import Lease
from beatd.leaders.none import NoLease
from beatd.observers.metrics import Metrics
from beatd.publishers.memory import MemoryPublisher
from beatd.stores.embedded.memory import MemoryStore
from beatd.web.web_pages import PageAnswers
from tests.fake_clock import FakeClock
from tests.observers.test_metrics import figures
from tests.office import Office, holder

READ_ONLY = "store h:1: cannot execute in a read-only transaction"


class Replica(MemoryStore):
    """Answers every question; takes writes as long as it is not `read_only`."""

    read_only = away = False

    def _write(self) -> None:
        if self.read_only or self.away:
            raise StoreError(READ_ONLY if self.read_only else "store h:1: refused")

    def announce(self, *said: Any) -> None:
        self._write()
        super().announce(*said)

    def begin(self, *said: Any) -> Any:
        self._write()
        return super().begin(*said)

    def leave(self, *said: Any) -> None:
        self._write()
        super().leave(*said)

    def upcoming(self, limit: int) -> Any:
        if self.away:
            raise StoreError("store h:1: refused")
        return super().upcoming(limit)


class House:
    """One daemon, its turns taken by the test."""

    def __init__(self, daemon: Daemon, store: Replica, lock: Office, told: list[Event]) -> None:
        self.daemon, self.store, self.lock, self.told = daemon, store, lock, told
        self.metrics = Metrics()
        self.pages = PageAnswers(lambda: health_of(daemon), self.metrics, dict)

    def lives(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.1)):
            assert self.daemon._campaign is not None
            self.daemon._campaign.turn()
            assert self.daemon.engine is not None
            self.daemon.engine.tick()
            self.lock.clock.advance(seconds=0.1)

    def heard(self, *kinds: type[Event]) -> list[Event]:
        return [event for event in self.told if isinstance(event, kinds)]

    def ready(self) -> tuple[int, str]:
        code, _, said = self.pages.answer("/ready")
        return code, said.decode().strip()

    def figure(self, name: str) -> float:
        self.pages.answer("/metrics")
        return figures(self.metrics)[name]


def house_of(lease: Lease | None = None) -> Iterator[House]:
    clock, told = FakeClock(), list[Event]()
    store, lock = Replica(codec=codec, clock=clock), Office(clock)
    daemon = Daemon(
        parts=Parts(
            store=lambda: store,
            lease=lambda: lease or lock,
            publisher=MemoryPublisher,
            dispatch=lambda store, publisher, tell: InSteps(
                ledger=store, publisher=publisher, clock=clock, tell=tell
            ),
        ),
        me=holder("a"),
        clock=clock,
        observers=(told.append,),
    )
    with ExitStack() as closing:
        assert daemon._open(closing)
        for loop in daemon.loops:
            loop.trouble = lambda: ""  # type: ignore[method-assign]  # its turns are taken here
        house = House(daemon, store, lock, told)
        daemon._observers = (*daemon._observers, house.metrics)
        yield house


@pytest.fixture
def house() -> Iterator[House]:
    yield from house_of()


@pytest.fixture
def lockless() -> Iterator[House]:
    yield from house_of(NoLease())


def test_a_store_that_takes_no_writes_is_away_at_the_start(house: House) -> None:
    house.store.read_only = True
    house.lives(3)
    said = f"it refuses writes: {READ_ONLY}"
    assert house.heard(StoreAway, StoreBack) == [StoreAway(said)]
    assert house.ready() == (503, f"waiting for the store: {said}")
    assert house.figure("beatd_store_ok") == 0
    assert status_of(house.daemon)["store"] == {"ok": False, "error": said}


def test_a_store_that_takes_no_writes_any_more_is_away_until_it_does(house: House) -> None:
    house.lives(2)
    assert house.ready() == (200, "leading") and house.figure("beatd_store_ok") == 1
    house.store.read_only = True
    house.lives(3)
    assert house.ready()[0] == 503 and house.figure("beatd_store_ok") == 0
    house.store.read_only = False
    house.lives(1)
    assert house.ready() == (200, "leading") and house.figure("beatd_store_ok") == 1
    assert [type(event) for event in house.heard(StoreAway, StoreBack)] == [StoreAway, StoreBack]


def test_a_store_that_comes_back_read_only_is_not_back(house: House) -> None:
    house.lives(2)
    house.store.away = True
    house.lives(2)
    house.store.away, house.store.read_only = False, True
    house.lives(3)
    assert house.ready() == (503, f"waiting for the store: it refuses writes: {READ_ONLY}")
    house.store.read_only = False
    house.lives(1)
    assert [type(event) for event in house.heard(StoreAway, StoreBack)] == [StoreAway, StoreBack]


REFUSED = "redis://h:1/0: cannot be reached: refused"


def test_a_lock_that_cannot_be_used_is_told_everywhere_with_its_cause(house: House) -> None:
    house.lock.trouble = StoreError(REFUSED)
    house.lives(3)
    assert house.heard(LockAway) == [LockAway(REFUSED)]
    assert house.ready() == (503, f"waiting for the lock: {REFUSED}")
    assert house.figure("beatd_lock_ok") == 0 and house.figure("beatd_lock_errors_total") == 1
    assert status_of(house.daemon)["lock"] == {"ok": False, "error": REFUSED}
    assert state_of(house.daemon)["lock_ok"] is False
    shared = status_in(house.store, house.daemon.now())
    assert shared["lock"] == {"ok": False, "error": REFUSED, "daemon": "a"}
    house.lock.trouble = None
    house.lives(2)
    assert [type(event) for event in house.heard(LockAway, LockBack)] == [LockAway, LockBack]
    assert house.ready() == (200, "leading") and house.figure("beatd_lock_ok") == 1
    assert status_in(house.store, house.daemon.now())["lock"] == {"ok": True}


def test_without_a_lock_it_is_ready(lockless: House) -> None:
    lockless.lives(2)
    assert lockless.ready() == (200, "leading") and lockless.figure("beatd_lock_ok") == 1
    assert status_of(lockless.daemon)["lock"] == {"ok": True}
