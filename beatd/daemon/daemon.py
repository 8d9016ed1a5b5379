"""A daemon: the beat on one thread, the campaign on another, and everything around them.

Nothing that happens to the store, the broker or the lock ends it; `stop` does.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial

from msgspec import Struct

from beatd.clock import Clock
from beatd.daemon.campaign import Candidate
from beatd.daemon.housekeeping import Declares, Housekeeping, Keep
from beatd.daemon.loop import Loop
from beatd.daemon.startup import when_open
from beatd.daemon.store_clock import Steering
from beatd.daemon.store_status import first_of
from beatd.dispatch import Dispatch
from beatd.edits.replan import begin
from beatd.engine.election import Election
from beatd.engine.limits import Limits
from beatd.engine.tick import Tick
from beatd.errors import BeatError, Deposed, StoreError
from beatd.events import BrokerBack, Event, LeadWon, Observer, Stopped, StoreBack, Ticked
from beatd.leader import Holder, Lease
from beatd.ledger import Claims
from beatd.observers.last_state import Board
from beatd.presence import Presence
from beatd.publisher import Publisher
from beatd.secret import hidden
from beatd.store import Roles

STALE = 10.0  # a tick older than this: the loop is stuck, and must not keep others from leading
BROKER_PATIENCE = 5.0
LETTERS = 300  # at most, of what others are told of this one
LOOKS_AROUND_EVERY = 1.0
LOOKS_SOON = 0.2  # seconds, while entries wait for their source
HELD_UP_AT_MOST = 3600.0  # a million new entries take their time
REST = 0.05  # after each few of many rows: a beat on the same core must not wait for all of them


class Parts(Struct, frozen=True, kw_only=True):
    """How to make what a daemon is made of; each may fail while its server is away."""

    store: Callable[[], Roles]
    lease: Callable[[], Lease]
    publisher: Callable[[], Publisher]
    dispatch: Callable[[Claims, Publisher], Dispatch]
    declaring: Declares | None = None


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
        self._ttl, self._limits = ttl, limits or Limits()
        self.board = Board()
        self._observers: tuple[Observer, ...] = (self.board, *observers)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._turned_at = clock.elapsed()
        self._steering = Steering(clock)
        self._house = Housekeeping(
            name=me.name,
            declaring=parts.declaring,
            keep=keep or Keep(),
            clock=clock,
            term=self._term,
            rest=lambda: clock.wait(REST, self._stop),
            released=self.wake,
        )
        loop = partial(Loop, clock=clock, tell=self._tell)
        self._campaign = loop(self._campaigned, name="campaign", patience=STALE + 4 * ttl)
        self._housekeeping = loop(self._kept_house, name="housekeeping", patience=HELD_UP_AT_MOST)
        self.loops = (self._campaign, self._housekeeping)
        self._candidate: Candidate | None = None
        self._choose_again = False
        self._closing = ExitStack()
        self.patient = False  # waits also for a store that says no
        self.store: Roles | None = None
        self.engine: Tick | None = None
        self.idle: Callable[[float], None] = lambda free: None  # told how long the beat will wait
        self.election: Election | None = None
        self.dispatch: Dispatch | None = None
        self.publisher: Publisher | None = None

    # what others may call, from any thread

    def stop(self) -> None:
        self._stop.set()
        self._wake.set()
        for loop in self.loops:
            loop.stop()

    def wake(self) -> None:
        """Something was edited: look at once."""
        if self.engine is not None:
            self.engine.noticed_change()
        self._wake.set()

    def now(self) -> datetime:
        return self._clock.now()

    def tick_age(self) -> float:
        return self._clock.elapsed() - self._turned_at

    def trouble(self) -> str:
        """Why this process does not do its work, or nothing; what is away is no such reason."""
        if self.tick_age() >= STALE:
            return f"the loop is stuck: last tick {self.tick_age():.1f} s ago"
        return next((said for loop in self.loops if (said := loop.trouble())), "")

    def alive(self) -> bool:
        return not self.trouble()

    def leading(self) -> bool:
        return self.election is not None and self.election.lead() is not None

    def _term(self) -> int:
        """The number of the term that this daemon leads; 0 on a standby."""
        lead = self.election.lead() if self.election is not None else None
        return 0 if lead is None else lead.term.number

    def ready(self) -> bool:
        """True if store, broker and lock can be used, and it is known who leads."""
        engine, election = self.engine, self.election
        if engine is None or election is None:
            return False
        known = self.leading() or election.holder() is not None
        usable = engine.store_outage.over and engine.broker_outage.over and self.lock_ok
        return self.alive() and usable and known

    @property
    def lock_ok(self) -> bool:
        return self.election is not None and not self.election.lock_trouble

    @property
    def conflicts(self) -> list[str]:
        return self._house.conflicts

    @property
    def entries(self) -> int:
        """How many the store had when its leader counted them last."""
        return self._house.entries

    @property
    def clock_offset(self) -> float:
        return self._steering.offset

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
                for loop in self.loops:
                    loop.start()
                    closing.callback(loop.join, 1.0)
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
        if self._choose_again and self.engine.store_outage.over:
            self._choose_dispatch()
        if not self._stop.is_set():
            self.idle((until - self._clock.now()).total_seconds())
            self._clock.wait((until - self._clock.now()).total_seconds(), self._wake)

    def _open(self, closing: ExitStack) -> bool:
        clock, tell = self._clock, self._tell
        opened = partial(
            when_open,
            clock=clock,
            stop=self._stop,
            tell=tell,
            idle=self.idle,
            patient=self.patient,
        )
        store = opened(self._parts.store)
        if store is None:
            return False
        closing.callback(store.place.close)
        lease = opened(self._parts.lease)
        if lease is None:
            return False
        closing.callback(lease.close)
        publisher = self._parts.publisher()
        closing.callback(publisher.close)
        self.store, self.publisher = store, publisher
        with suppress(StoreError):  # or the rows are looked through later
            self._steering.by(store.terms)
            begin(store.catalog, clock.now())
        self.dispatch = self._parts.dispatch(store.claims, publisher)
        self.election = Election(
            lease=lease,
            terms=store.terms,
            me=self.me,
            clock=clock,
            ttl=self._ttl,
            may_lead=self._may_lead,
            tell=tell,
        )
        self.engine = Tick(
            store=store.ledger,
            claims=store.claims,
            publisher=publisher,
            dispatch=self.dispatch,
            election=self.election,
            clock=clock,
            tell=tell,
            limits=self._limits,
            notes_writes=True,
            set_clock=lambda: self._steering.by(store.terms),
            unapplied=self._house.unapplied,
        )
        closing.callback(self.engine.close)
        self._candidate = Candidate(
            election=self.election,
            terms=store.terms,
            presences=store.presences,
            store_outage=self.engine.store_outage,
            steering=self._steering,
            clock=clock,
            presence=self._presence,
            changed=self._lead_changed,
        )
        store.place.watch(self.wake)
        return True

    def _choose_dispatch(self) -> None:
        """Whether ledger and broker are one Redis may change with every server that comes back."""
        assert self.engine and self.dispatch and self.store and self.publisher
        self._choose_again = False  # first: what comes back meanwhile asks for another choice
        self.dispatch.drop_prepared()  # it looks at the broker's connections
        try:
            chosen = self._parts.dispatch(self.store.claims, self.publisher)
            if chosen.atomic != self.dispatch.atomic:
                self.dispatch = chosen
                self.engine.use(chosen)
        except BeatError:
            self._choose_again = True

    # the campaign, on its own thread

    def _campaigned(self) -> float:
        assert self._candidate is not None
        return self._candidate.turn()

    def _may_lead(self) -> bool:
        engine, candidate = self.engine, self._candidate
        if engine is None or candidate is None or self.tick_age() >= STALE:
            return False
        return engine.broker_outage.lasts <= BROKER_PATIENCE or not candidate.others_reach_broker

    def _lead_changed(self) -> None:
        self._wake.set()
        self._housekeeping.wake()

    def _presence(self) -> Presence:
        assert self.engine is not None
        return Presence(
            holder=self.me,
            role="leader" if self.leading() else "standby",
            broker_ok=self.engine.broker_outage.over,
            seen_at=self._clock.now(),
            clock_offset=self.clock_offset,
            declares=self._house.declares,
            stats=self.stats(),
            broker=self.broker_trouble(),
            problems=first_of(self.conflicts, self.me.name),
            lock=self.lock_trouble(),
            went_back=hidden(self.board.went_back)[:LETTERS],
        )

    def store_trouble(self) -> str:
        """Why the store cannot be used; nothing while it can."""
        return self.engine.store_outage.reason if self.engine is not None else self.board.store_away

    def lock_trouble(self) -> str:
        """Why the lock cannot be used; nothing while it can."""
        return self.election.lock_trouble[:LETTERS] if self.election is not None else ""

    def broker_trouble(self) -> str:
        if self.engine is None or self.publisher is None or self.engine.broker_outage.over:
            return ""
        return hidden(self.publisher.trouble())[:LETTERS]

    def stats(self) -> dict[str, float]:
        late = {f"late_{k}": v for k, v in self.board.lateness().items() if v is not None}
        counts = {f"runs_{state}": float(n) for state, n in self.board.counted().items()}
        atomic = float(self.dispatch is not None and self.dispatch.atomic)
        return {"tick_age": round(self.tick_age(), 3), "atomic": atomic, **late, **counts}

    def _resign(self) -> None:
        assert self.election and self.store and self.dispatch
        self.dispatch.drop_prepared()  # first: what follows writes
        self.election.close()
        with suppress(StoreError):
            self.store.presences.leave(self.me)

    # the house, on its own thread too

    def _kept_house(self) -> float:
        assert self.store is not None
        with suppress(StoreError, Deposed):
            if self._house.round(
                catalog=self.store.catalog,
                repair=self.store.repair,
                history=self.store.history,
                presences=self.store.presences,
            ):
                self.wake()
        waits = self._house.unapplied(self._term()).owners if self.leading() else ()
        return LOOKS_SOON if waits else LOOKS_AROUND_EVERY

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
