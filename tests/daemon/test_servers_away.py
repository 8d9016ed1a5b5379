"""What a daemon says of a store that takes no writes, and of a lock that cannot be used."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from beatd.daemon.daemon import Daemon
from beatd.daemon.parts import Parts
from beatd.daemon.status import health_of, state_of, status_of
from beatd.definition import codec
from beatd.dispatches.step_dispatch import StepDispatch
from beatd.errors import StoreError
from beatd.events import Event, LockAway, LockBack, StoreAway, StoreBack
from beatd.leader import Lease
from beatd.leaders.none import NoLease
from beatd.observers.metrics import Metrics
from beatd.publishers.memory import MemoryPublisher
from beatd.store import Roles
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.fake_lease import FakeLease, holder
from tests.observers.test_metrics import figures
from tests.roles import status_shared_by
from tests.web.in_process import Probes

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


class SteppedDaemon:
    """One daemon without threads, whose turns the test takes."""

    def __init__(self, daemon: Daemon, store: Replica, lock: FakeLease, told: list[Event]) -> None:
        self.daemon, self.store, self.lock, self.told = daemon, store, lock, told
        self.metrics = Metrics()
        self.pages = Probes(lambda: health_of(daemon), self.metrics, dict)

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


def stepped_daemon(lease: Lease | None = None) -> Iterator[SteppedDaemon]:
    clock, told = FakeClock(), list[Event]()
    store, lock = Replica(codec=codec, clock=clock), FakeLease(clock)
    daemon = Daemon(
        parts=Parts(
            store=lambda: Roles.of(store),
            lease=lambda: lease or lock,
            publisher=MemoryPublisher,
            dispatch=lambda store, publisher: StepDispatch(
                ledger=store, publisher=publisher, clock=clock
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
        stepped = SteppedDaemon(daemon, store, lock, told)
        daemon._observers = (*daemon._observers, stepped.metrics)
        yield stepped


@pytest.fixture
def stepped() -> Iterator[SteppedDaemon]:
    yield from stepped_daemon()


@pytest.fixture
def lockless() -> Iterator[SteppedDaemon]:
    yield from stepped_daemon(NoLease())


def test_a_store_that_takes_no_writes_is_away_at_the_start(stepped: SteppedDaemon) -> None:
    stepped.store.read_only = True
    stepped.lives(3)
    said = f"it refuses writes: {READ_ONLY}"
    assert stepped.heard(StoreAway, StoreBack) == [StoreAway(said)]
    assert stepped.ready() == (503, f"waiting for the store: {said}")
    assert stepped.figure("beatd_store_ok") == 0
    assert status_of(stepped.daemon)["store"] == {"ok": False, "error": said}


def test_a_store_that_takes_no_writes_any_more_is_away_until_it_does(
    stepped: SteppedDaemon,
) -> None:
    stepped.lives(2)
    assert stepped.ready() == (200, "leading") and stepped.figure("beatd_store_ok") == 1
    stepped.store.read_only = True
    stepped.lives(3)
    assert stepped.ready()[0] == 503 and stepped.figure("beatd_store_ok") == 0
    stepped.store.read_only = False
    stepped.lives(1)
    assert stepped.ready() == (200, "leading") and stepped.figure("beatd_store_ok") == 1
    assert [type(event) for event in stepped.heard(StoreAway, StoreBack)] == [StoreAway, StoreBack]


def test_a_store_that_comes_back_read_only_is_not_back(stepped: SteppedDaemon) -> None:
    stepped.lives(2)
    stepped.store.away = True
    stepped.lives(2)
    stepped.store.away, stepped.store.read_only = False, True
    stepped.lives(3)
    assert stepped.ready() == (503, f"waiting for the store: it refuses writes: {READ_ONLY}")
    stepped.store.read_only = False
    stepped.lives(1)
    assert [type(event) for event in stepped.heard(StoreAway, StoreBack)] == [StoreAway, StoreBack]


REFUSED = "redis://h:1/0: cannot be reached: refused"


def test_a_lock_that_cannot_be_used_is_told_everywhere_with_its_cause(
    stepped: SteppedDaemon,
) -> None:
    stepped.lock.trouble = StoreError(REFUSED)
    stepped.lives(3)
    assert stepped.heard(LockAway) == [LockAway(REFUSED)]
    assert stepped.ready() == (503, f"waiting for the lock: {REFUSED}")
    assert stepped.figure("beatd_lock_ok") == 0 and stepped.figure("beatd_lock_errors_total") == 1
    assert status_of(stepped.daemon)["lock"] == {"ok": False, "error": REFUSED}
    assert state_of(stepped.daemon)["lock_ok"] is False
    shared = status_shared_by(stepped.store, stepped.daemon.now())
    assert shared["lock"] == {"ok": False, "error": REFUSED, "daemon": "a"}
    stepped.lock.trouble = None
    stepped.lives(2)
    assert [type(event) for event in stepped.heard(LockAway, LockBack)] == [LockAway, LockBack]
    assert stepped.ready() == (200, "leading") and stepped.figure("beatd_lock_ok") == 1
    assert status_shared_by(stepped.store, stepped.daemon.now())["lock"] == {"ok": True}


def test_without_a_lock_it_is_ready(lockless: SteppedDaemon) -> None:
    lockless.lives(2)
    assert lockless.ready() == (200, "leading") and lockless.figure("beatd_lock_ok") == 1
    assert status_of(lockless.daemon)["lock"] == {"ok": True}
