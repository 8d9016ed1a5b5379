"""Production daemons in simulated time, with greenlets for threads, around one store and broker."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from beatd import events
from beatd.daemon.daemon import Daemon
from beatd.daemon.parts import Parts
from beatd.dispatch import Dispatch
from beatd.dispatches.atomic_dispatch import AtomicDispatch
from beatd.dispatches.step_dispatch import StepDispatch
from beatd.engine.limits import Limits
from beatd.events import Observer
from beatd.leader import Holder
from beatd.outcomes.outcome_reader import OutcomeReader
from beatd.publisher import Publisher
from beatd.store import Roles
from tests.fake_lease import FakeLease
from tests.simulation.broker_wires import Broker, PublisherWire
from tests.simulation.files import Files
from tests.simulation.incidents import Alarms
from tests.simulation.one_redis import ListsWire, RedisWire
from tests.simulation.overlaps import Overlaps
from tests.simulation.pace import Pace
from tests.simulation.second_thread import Second
from tests.simulation.server_clock import ServerClock
from tests.simulation.truth import Truth
from tests.simulation.truth_values import PUBLISH_TIMEOUT
from tests.simulation.wires import Fate, LeaseWire, StoreWire, Wire
from tests.simulation.workers import ReportsWire, Workers
from tests.simulation.world import (
    START,
    Host,
    HostClock,
    Process,
    Turnstile,
    Violation,
    World,
)

TTL = 2.0


class Deployment:
    """One store, one lease, one broker, and the daemons around them."""

    def __init__(
        self,
        fate: Fate,
        *,
        tells: bool = True,
        has_clock: bool = True,
        one_by_one: bool = False,
        one_redis: bool = False,
        batch: int = 1000,
        restart_after: Callable[[], float] = lambda: 1.0,
        workers: Callable[[World, Overlaps], Workers] | None = None,
        old_hosts: frozenset[str] = frozenset(),
        has_alerts: bool = False,
    ) -> None:
        self.world = World()
        self.fate, self.tells, self.has_clock = fate, tells, has_clock
        self.one_by_one, self.one_redis = one_by_one, one_redis
        self.batch, self.restart_after, self.has_alerts = batch, restart_after, has_alerts
        self.store_clock = ServerClock(self.world)
        self.truth = Truth(
            self.world, clock=self.store_clock if has_clock else None, old_hosts=old_hosts
        )
        self.lease = FakeLease(self.world)  # type: ignore[arg-type]
        self.broker = Broker(self.truth)
        self.files = Files(self.world, self.truth)
        self.processes: list[Process] = []
        self.paces: list[Pace] = []
        self.wiped_at = float("-inf")
        self.workers = workers(self.world, self.truth.overlaps) if workers else None
        if self.workers is not None:
            self.truth.deliver, self.broker.revoke = self.workers.deliver, self.workers.revoke

    def now(self) -> datetime:
        """What a command takes for now."""
        return self.store_clock.now() if self.has_clock else self.world.now()

    @property
    def alive(self) -> list[Process]:
        return [process for process in self.processes if process.alive]

    def start(self, host: Host) -> Process:
        process = Process(f"{host.name}.{len(self.processes) + 1}", host)
        self.processes.append(process)
        wire = Wire(self.world, self.truth, process, self.fate)
        wire.crashed = self.crash
        clock = HostClock(self.world, host)
        daemon = Daemon(
            parts=Parts(
                store=lambda: Roles.of(self._store(wire)),
                lease=lambda: LeaseWire(wire, self.lease),
                publisher=lambda: self._publisher(wire),
                dispatch=lambda store, publisher: self._dispatch(clock, store, publisher),
                declaring=self.files.declaring(clock) if self.files.entries else None,
                outcomes=(lambda store: self._reports(wire)) if self.workers else None,
                alerts=Alarms(wire, self.truth.notices) if self.has_alerts else None,
            ),
            me=Holder(process.name, host.name, len(self.processes), START, f"of {process.name}"),
            clock=clock,
            ttl=TTL,
            limits=Limits(batch=self.batch, publish_timeout=PUBLISH_TIMEOUT),
            observers=(self._observer(process),),
        )
        daemon.waits_for_unusable_store = True
        process.daemon = daemon
        self.world.spawn(process, lambda: self._live(process))
        return process

    def _store(self, wire: Wire) -> Any:
        self.truth.versions.refuse_old()
        if self.one_redis:
            return RedisWire(wire, self.broker, self.tells)
        return StoreWire(wire, self.tells)

    def _publisher(self, wire: Wire) -> Publisher:
        kind = ListsWire if self.one_redis else PublisherWire
        return kind(wire, self.broker, self.one_by_one)

    def _dispatch(self, clock: HostClock, store: Any, publisher: Any) -> Dispatch:
        if self.one_redis:
            return AtomicDispatch(ledger=store, publisher=publisher, clock=clock)
        return StepDispatch(ledger=store, publisher=publisher, clock=clock, hold=store.hold)

    def _reports(self, wire: Wire) -> OutcomeReader:
        assert self.workers is not None
        return ReportsWire(wire, self.workers)

    def _live(self, process: Process) -> None:
        """As `Daemon.__enter__`, `run` and `__exit__`, with tasks where those start threads."""
        daemon = process.daemon
        with ExitStack() as closing:
            if not daemon._open(closing):
                return
            daemon.election._campaigning = Turnstile(self.world)
            daemon.engine._pipeline._second = Second(self.world)
            for loop in daemon.loops:
                self.world.spawn(process, loop.run)
            while not daemon._stop.is_set():
                daemon.turn()
            daemon._resign()
        self.world.crash(process)

    def _observer(self, process: Process) -> Observer:
        pace = Pace(self.world)
        self.paces.append(pace)

        def hear(event: events.Event) -> None:
            seen, kind = self.world.seen, type(event).__name__
            if not isinstance(event, events.Ticked):
                seen[kind] += 1
            match event:
                case events.Ticked():
                    pace.tick()
                    process.ticked_at = self.world.elapsed()
                    self._trusts_no_longer_than_the_lease(process)
                case events.LeadWon():
                    self._only_one_leads(process)
                case events.LeadLost(reason=reason) if reason.startswith("term"):
                    seen["a leader was deposed"] += 1
                case events.WentBack():
                    stale = self.world.seen["reads were stale"] > 0
                    self.truth.losses.heard(process, self.world.elapsed(), stale=stale)
                case events.Broke(error=error):
                    raise error
                case events.Refused(names=names) if self._is_quiet():
                    if not self._may_overlap(names):
                        raise Violation(f"claims were refused, and nobody edited: {names}")
                case _:
                    pass
            self.world.trace.append(f"{self.world.elapsed():10.6f} {process.name} {kind}")

        return hear

    def _may_overlap(self, names: Sequence[str]) -> bool:
        """Whether the ends of runs may have come between the reading and the claims of these."""
        known = [self.truth.known.get(name) for name in names]
        return all(one is not None and one.entry.overlap != "allow" for one in known)

    def _is_quiet(self) -> bool:
        return self.truth.calm and self.world.elapsed() - self.truth.edited_at > 5.0

    def _only_one_leads(self, winner: Process) -> None:
        if self.world.elapsed() - self.wiped_at < TTL:
            return
        for other in self.alive:
            both = winner.daemon.leading() and other.daemon.leading()
            if both and other is not winner:
                raise Violation(f"S6 {winner.name} leads, and {other.name} trusts its lease")

    def _trusts_no_longer_than_the_lease(self, process: Process) -> None:
        if self.world.elapsed() - self.wiped_at < TTL:
            return
        election = process.daemon.election
        held, lead = self.lease.held, None if election is None else election.lead()
        if lead is None:
            return
        mine = held is not None and held[0].token == process.daemon.me.token
        if not mine or (held is not None and process.host.true(lead.until) > held[1] + 0.001):
            raise Violation(f"S6 {process.name} trusts a lease for longer than it has it")

    def crash(self, process: Process) -> None:
        host, world = process.host, self.world
        world.crash(process)
        again = Process(f"power of {host.name}", host)

        def restart() -> None:
            world.sleep(self.restart_after())
            self.start(host)

        world.spawn(again, restart)

    def stop(self, process: Process) -> None:
        """SIGTERM: it finishes its batch, resigns and is gone; another is started."""
        process.graceful = True
        process.daemon.stop()
        host = process.host
        again = Process(f"power of {host.name}", host)
        self.world.spawn(again, lambda: (self.world.sleep(self.restart_after()), self.start(host)))

    def wake_all(self) -> None:
        for process in self.alive:
            if process.wake is not None:
                process.wake()

    def leaders(self) -> list[Process]:
        return [process for process in self.alive if process.daemon.leading()]
