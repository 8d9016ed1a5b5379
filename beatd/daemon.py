"""A daemon: the beat on one thread, the campaign on another, and everything around them.

Nothing that happens to the store, the broker or the lock ends it; `stop` does.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from beatd.clock import EPOCH, Clock
from beatd.dispatch import Dispatch
from beatd.election import Election
from beatd.engine import Engine, Limits
from beatd.errors import BeatError, StoreError, StoreUnusable
from beatd.events import (
    BrokerBack,
    Event,
    LeadWon,
    Observer,
    Stopped,
    StoreAway,
    StoreBack,
    Ticked,
)
from beatd.leader import Holder, Lease
from beatd.ledger import Presence
from beatd.observers.board import Board
from beatd.publisher import Publisher
from beatd.rules import begin, outdated, reckon_again
from beatd.store import Store

T = TypeVar("T")

STALE = 10.0  # a tick older than this: the loop is stuck, and must not keep others from leading
BROKER_PATIENCE = 5.0
ANNOUNCED_EVERY = 1.0
QUICK, DRIFT = 0.1, 0.01  # seconds of a round trip to the store's clock; drift per second
HOUSEKEEPING_EVERY = 60.0
COUNTED_EVERY = 60.0


class Declares(Protocol):
    def __call__(self, store: Store, leading: bool) -> bool:
        """Apply what is declared anew, when leading; whether the store was changed."""

    def conflicts(self) -> list[str]: ...

    def digest(self) -> str: ...


class Parts(Struct, frozen=True, kw_only=True):
    """How to make what a daemon is made of; each may fail while its server is away."""

    store: Callable[[], Store]
    lease: Callable[[], Lease]
    publisher: Callable[[], Publisher]
    dispatch: Callable[[Store, Publisher, Observer], Dispatch]
    declaring: Declares | None = None


class Keep(Struct, frozen=True):
    """How much history there is."""

    age: timedelta = timedelta(days=7)
    records: int = 1_000_000


class Daemon:
    def __init__(
        self,
        *,
        parts: Parts,
        me: Holder,
        clock: Clock,
        ttl: float = 2.0,
        keep: Keep | None = None,
        limits: Limits | None = None,
        observers: tuple[Observer, ...] = (),
    ) -> None:
        self._parts, self.me, self._clock = parts, me, clock
        self._ttl, self._keep, self._limits = ttl, keep or Keep(), limits or Limits()
        self.board = Board()
        self._observers: tuple[Observer, ...] = (self.board, *observers)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._house = threading.Event()
        self._turned_at = clock.elapsed()
        self.clock_offset = 0.0
        self._steered_at, self._steered_by = clock.elapsed(), float("inf")
        self.entries = 0
        self._others_reach_broker = False
        self._choose_again = False
        self._differs = ""
        self._closing = ExitStack()
        self.store: Store | None = None
        self.engine: Engine | None = None
        self.idle: Callable[[float], None] = lambda free: None  # told how long the beat will wait
        self.election: Election | None = None
        self.dispatch: Dispatch | None = None
        self.publisher: Publisher | None = None

    # what others may call, from any thread

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()
        self._house.set()

    def wake(self) -> None:
        """Something was edited: look at once."""
        if self.engine is not None:
            self.engine.noticed_change()
        self._wake.set()

    def now(self) -> datetime:
        return self._clock.now()

    def tick_age(self) -> float:
        return self._clock.elapsed() - self._turned_at

    def alive(self) -> bool:
        return self.tick_age() < STALE

    def leading(self) -> bool:
        return self.election is not None and self.election.lead() is not None

    def ready(self) -> bool:
        """The store and the broker answer, and it is known who leads."""
        engine, election = self.engine, self.election
        if engine is None or election is None:
            return False
        known = self.leading() or election.holder() is not None
        return self.alive() and engine.store_ok and engine.broker_ok and known

    @property
    def conflicts(self) -> list[str]:
        declaring = self._parts.declaring
        found = list(declaring.conflicts()) if declaring is not None else []
        return [*found, self._differs] if self._differs else found

    # the life of it

    def run(self) -> None:
        """Until `stop`. Raises StoreUnusable when waiting for the store would not help."""
        with self:
            while not self._stop.is_set():
                self.turn()

    def __enter__(self) -> "Daemon":
        """Waits until the store can be opened, or `stop`."""
        with ExitStack() as closing:
            opened = self._open(closing)
            self._closing.callback(self._tell, Stopped())
            if opened:
                threads = [
                    threading.Thread(target=loop, name=f"beatd {loop.__name__}", daemon=True)
                    for loop in (self._campaign, self._keep_house)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    closing.callback(thread.join, 1.0)
                closing.callback(self._resign)
            self._closing.push(closing.pop_all())
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._closing.close()

    def turn(self) -> None:
        """One tick, and the wait for the next one; cut short by edits and by `stop`."""
        if self.engine is None:
            return
        self._wake.clear()
        until = self.engine.tick()
        if self._choose_again:
            self._choose_dispatch()
        if not self._stop.is_set():
            self.idle((until - self._clock.now()).total_seconds())
            self._clock.wait((until - self._clock.now()).total_seconds(), self._wake)

    def _open(self, closing: ExitStack) -> bool:
        store = self._when_open(self._parts.store)
        lease = self._when_open(self._parts.lease) if store else None
        if store is None or lease is None:
            return False
        closing.callback(store.close)
        closing.callback(lease.close)
        publisher = self._parts.publisher()
        closing.callback(publisher.close)
        self.store, self.publisher = store, publisher
        with suppress(StoreError):  # or the rows are looked through later
            begin(store, self._clock.now())
        self.dispatch = self._parts.dispatch(store, publisher, self._tell)
        self.election = Election(
            lease=lease,
            terms=store,
            me=self.me,
            clock=self._clock,
            ttl=self._ttl,
            may_lead=self._may_lead,
            tell=self._tell,
        )
        self.engine = Engine(
            store=store,
            publisher=publisher,
            dispatch=self.dispatch,
            election=self.election,
            clock=self._clock,
            tell=self._tell,
            limits=self._limits,
        )
        store.watch(self.wake)
        return True

    def _when_open(self, opened: Callable[[], T]) -> T | None:
        """What it opens, tried until it answers or the daemon is stopped."""
        pause, said = 0.05, False
        while not self._stop.is_set():
            try:
                return opened()
            except StoreUnusable:
                raise
            except StoreError as trouble:
                if not said:
                    self._tell(StoreAway(str(trouble)))
                    said = True
            self._turned(self._clock.now(), self._clock.now() + timedelta(seconds=pause))
            self._clock.wait(pause, self._stop)
            pause = min(0.5, pause * 2)
        return None

    def _choose_dispatch(self) -> None:
        """Whether ledger and broker are one Redis may change with every server that comes back."""
        self._choose_again = False
        assert self.engine is not None and self.store is not None and self.publisher is not None
        with suppress(BeatError):
            chosen = self._parts.dispatch(self.store, self.publisher, self._tell)
            if self.dispatch is not None and chosen.atomic != self.dispatch.atomic:
                with suppress(StoreError):
                    self.dispatch.settle_accounts()
                    self.dispatch = chosen
                    self.engine.use(chosen)

    # the campaign, on its own thread: a long batch must not cost the lease

    def _campaign(self) -> None:
        assert self.election is not None
        told_at = float("-inf")
        self._steer()  # a leader whose clock is wrong must not lead by it for one tick
        while not self._stop.is_set():
            led = self.leading()
            self.election.campaign()
            changed = self.leading() != led
            if changed:
                self._wake.set()
                self._house.set()
            if changed or self._clock.elapsed() - told_at >= ANNOUNCED_EVERY:
                # Not at each campaign: a standby asks for the lease ten times a second.
                told_at = self._clock.elapsed()
                self._steer()
                self._announce()
            self._clock.wait(self.election.pause(), self._stop)

    def _may_lead(self) -> bool:
        engine = self.engine
        if engine is None or not self.alive():
            return False
        broker_away = engine.broker_away_for
        return not (broker_away > BROKER_PATIENCE and self._others_reach_broker)

    def _steer(self) -> None:
        """Believe the store's clock, where it has one, and know how far it is from the host's."""
        assert self.store is not None
        with suppress(StoreError):
            asked = self._clock.elapsed()
            there = self.store.now()
            if there is None:
                return
            answered = self._clock.elapsed()
            # Half the round trip is how far off the answer may be: one slow reply is not believed
            # over a quick one before, unless that is so old that clocks may have drifted as far.
            trip, age = answered - asked, asked - self._steered_at
            if trip > max(QUICK, self._steered_by + age * DRIFT):
                return
            self._steered_at, self._steered_by = asked, trip
            middle = (asked + answered) / 2
            self.clock_offset = (self._clock.host_now() - there).total_seconds()
            self._clock.steer(there - EPOCH - timedelta(seconds=middle))

    def _announce(self) -> None:
        assert self.store is not None and self.engine is not None
        with suppress(StoreError):
            presence = Presence(
                holder=self.me,
                role="leader" if self.leading() else "standby",
                broker_ok=self.engine.broker_ok,
                seen_at=self._clock.now(),
                clock_offset=self.clock_offset,
                declares=self._parts.declaring.digest() if self._parts.declaring else "",
                stats=self.stats(),
            )
            self.store.announce(presence, max(5.0, self._ttl * 2))
            if not self.engine.broker_ok:
                self._others_reach_broker = any(
                    other.broker_ok
                    for other in self.store.daemons()
                    if other.holder.token != self.me.token
                )

    def stats(self) -> dict[str, float]:
        late = {f"late_{k}": v for k, v in self.board.lateness().items() if v is not None}
        counts = {f"runs_{state}": float(n) for state, n in self.board.counts.items()}
        atomic = float(self.dispatch is not None and self.dispatch.atomic)
        return {"tick_age": round(self.tick_age(), 3), "atomic": atomic, **late, **counts}

    def _resign(self) -> None:
        assert self.election is not None and self.store is not None
        self.election.close()
        with suppress(StoreError):
            self.store.leave(self.me)

    # what is declared is applied, and old history forgotten, beside the beat

    def _keep_house(self) -> None:
        swept_at = counted_at = float("-inf")
        while not self._stop.is_set():
            with suppress(StoreError):
                assert self.store is not None
                leading = self.leading()
                declaring = self._parts.declaring
                if declaring is not None and declaring(self.store, leading):
                    self.wake()
                self._compare_with_leader(leading)
                if leading and self._clock.elapsed() - counted_at > COUNTED_EVERY:
                    counted_at = self._clock.elapsed()
                    self.entries = self.store.count()
                if leading and self._clock.elapsed() - swept_at > HOUSEKEEPING_EVERY:
                    swept_at = self._clock.elapsed()
                    if outdated(self.store):
                        reckon_again(self.store, self._clock.now(), self.leading, self._rest)
                    self.store.forget(self._clock.now() - self._keep.age, self._keep.records)
            self._clock.wait(1.0, self._house)
            self._house.clear()

    def _rest(self) -> None:
        self._clock.wait(0.05, self._stop)

    def _compare_with_leader(self, leading: bool) -> None:
        """A standby with other files would change the entries if it took over; it says so."""
        assert self.store is not None
        if leading or self._parts.declaring is None:
            self._differs = ""
            return
        mine = self._parts.declaring.digest()
        leaders = [one for one in self.store.daemons() if one.role == "leader"]
        differing = [one.holder.name for one in leaders if one.declares not in ("", mine)]
        self._differs = (
            f"what {self.me.name} declares differs from what the leader {differing[0]} does"
            if differing
            else ""
        )

    # telling

    def _tell(self, event: Event) -> None:
        match event:
            case Ticked():
                self._turned_at = self._clock.elapsed()
            case StoreBack() | BrokerBack() | LeadWon():
                self._choose_again = True
            case _:
                pass
        for observer in self._observers:
            observer(event)

    def _turned(self, at: datetime, until: datetime) -> None:
        self._tell(Ticked(at, until))

    def state(self) -> dict[str, Any]:
        """For people in a hurry: what SIGUSR1 logs."""
        engine, election = self.engine, self.election
        lead = election.lead() if election else None
        return {
            "leading": lead is not None,
            "term": lead.term.number if lead else None,
            "store_ok": bool(engine and engine.store_ok),
            "broker_ok": bool(engine and engine.broker_ok),
            "conflicts": self.conflicts,
            **self.stats(),
        }
