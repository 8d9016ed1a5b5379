"""A fleet: engines of several daemons on one store, clock and broker, ticked by the test."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from beatd.catalog import Change, Progress, Query
from beatd.definition import codec, entry_from
from beatd.dispatches.step_dispatch import Hold, StepDispatch
from beatd.edits.request_arguments import with_arguments
from beatd.engine.election import Election
from beatd.engine.limits import Limits
from beatd.engine.tick import Tick
from beatd.entry import Entry
from beatd.events import Event
from beatd.history import Record
from beatd.ledger import Ledger
from beatd.planning import first
from beatd.publisher import Outcome
from beatd.publishers.memory import MemoryPublisher
from beatd.run import Run
from beatd.stores.embedded.memory import MemoryStore
from beatd.unapplied import NOTHING_WAITS
from tests.fake_clock import FakeClock
from tests.fake_lease import FakeLease, holder


class Broker:
    """The broker of all daemons; `fault` returns the outcome of a run, or None when it arrives."""

    def __init__(self) -> None:
        self.arrived: list[Run] = []
        self.fault: Callable[[Run], Outcome | None] = lambda run: None
        self.up = True

    def take(self, run: Run) -> Outcome:
        if not self.up:
            return Outcome("unsent", "connection refused")
        outcome = self.fault(run)
        if outcome is None or outcome.sent == "confirmed":
            self.arrived.append(run)
        return outcome or Outcome("confirmed")

    def planned(self, name: str | None = None) -> list[str]:
        """The planned moments that arrived, in order, as ISO text."""
        wanted = (run for run in self.arrived if name in (None, run.entry.name))
        return [run.occurrence.planned.isoformat() for run in wanted]


class Publisher(MemoryPublisher):
    def __init__(self, broker: Broker) -> None:
        super().__init__()
        self.broker = broker

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        return [self.broker.take(run) for run in runs]

    def reachable(self) -> bool:
        return self.broker.up


class Fleet:
    """Daemons without threads; `live` ticks them and moves the clock from tick to tick."""

    def __init__(self, clock: FakeClock | None = None, **limits: Any) -> None:
        self.clock = clock or FakeClock()
        self.store = MemoryStore(codec=codec, clock=self.clock)
        self.lease = FakeLease(self.clock)
        self.broker = Broker()
        self.told: list[Event] = []
        self.limits = Limits(**limits)
        self.unapplied = NOTHING_WAITS
        self.hold: Hold | None = None
        self.ledger: Ledger | None = None  # instead of the store
        self.set_clock: Callable[[float], None] = lambda older_than_s: None
        self.elections: dict[Tick, Election] = {}
        self._names = (f"daemon-{n}" for n in count(1))

    def daemon(self) -> Tick:
        election = Election(
            lease=self.lease,
            terms=self.store,
            me=holder(next(self._names)),
            clock=self.clock,
            ttl=2.0,
            emit=self.told.append,
        )
        publisher = Publisher(self.broker)
        engine = Tick(
            store=self.ledger or self.store,
            runs=self.store,
            claims=self.store,
            publisher=publisher,
            dispatch=StepDispatch(
                ledger=self.store, publisher=publisher, clock=self.clock, hold=self.hold
            ),
            election=election,
            clock=self.clock,
            emit=self.told.append,
            limits=self.limits,
            set_clock=lambda older_than_s: self.set_clock(older_than_s),
            unapplied=lambda term: self.unapplied,
            with_arguments=with_arguments(self.store.marks),
        )
        self.elections[engine] = election
        return engine

    def live(self, engines: Sequence[Tick], until: datetime) -> None:
        """Each daemon campaigns and ticks, and the clock moves to the soonest moment of all."""
        while self.clock.now() <= until:
            soonest = until
            for engine in engines:
                self.elections[engine].campaign()
                again = engine.tick()
                while again <= self.clock.now():
                    again = engine.tick()
                soonest = min(soonest, again)
            if self.clock.now() >= until:
                return
            self.clock.move_to(soonest)

    def minutes(self, engine: Tick, minutes: float) -> None:
        self.live([engine], self.clock.now() + timedelta(minutes=minutes))

    # what operators do

    def add(self, name: str, **plain: Any) -> Entry:
        entry = entry_from(name, {"task": "t", **plain})
        self.put(entry)
        return entry

    def put(self, entry: Entry, *, paused: bool = False, replan: bool = True) -> None:
        found = list(self.store.find(Query(names=(entry.name,))))
        seen = found[0].revision if found else 0
        runs = found[0].runs if found else 0
        plan = first(entry, self.clock.now(), paused=paused, runs=runs) if replan else None
        came = found[0].progress if found else Progress()
        change = Change(entry.name, seen, entry, plan, paused, progress=came)
        assert list(self.store.write([change])) == [True]

    def remove(self, name: str) -> None:
        (stored,) = self.store.find(Query(names=(name,)))
        assert list(self.store.write([Change(name, stored.revision, None)])) == [True]

    def history(self, name: str | None = None) -> list[Record]:
        return list(self.store.history(name, None))
