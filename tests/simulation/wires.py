"""What lies between a daemon and its servers: a call is two boundaries, and either may break."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from greenlet import GreenletExit
from msgspec import Struct

from beatd.clock import StoreTime
from beatd.errors import StoreError
from beatd.leader import Holder, Term
from beatd.ledger import Move
from beatd.marks import Marks
from beatd.run import Run, Running
from tests.fake_lease import FakeLease
from tests.simulation.stale_reads import STALE, read
from tests.simulation.truth import Truth
from tests.simulation.truth_values import PUBLISH_TIMEOUT
from tests.simulation.world import Process, World

SENDING = {"publish", "message", "store.record"}  # slow, they are no surer than lost
Fault = str  # "crash", "freeze 7", "slow 3", "error", "lost"


class Fate(Protocol):
    """Decides what breaks; asked at each boundary, in an order that the seed alone decides."""

    def strikes(self, process: Process, place: str, answered: bool) -> Fault: ...

    def takes(self, run: Run) -> str:
        """What becomes of a message at a broker that is up; "" = it arrives."""

    def pause(self) -> float:
        """Seconds that a call takes on its way."""

    def detour(self) -> float:
        """Seconds that a question for the time, or its answer, takes beside."""


class Wire:
    """One process's way to its servers."""

    def __init__(self, world: World, truth: Truth, process: Process, fate: Fate) -> None:
        self.world, self.truth, self.process, self.fate = world, truth, process, fate
        self.crashed: Callable[[Process], None] = lambda process: None

    def pass_by(self, place: str, answered: bool = False) -> Fault:
        """A boundary: the process may end or stop here; "error" and "lost" are the caller's."""
        if self.process.dead:
            raise GreenletExit  # it calls while a crash ends it
        self.process.boundaries += 1
        self.world.passed[place, answered] += 1
        if not (fault := self.fate.strikes(self.process, place, answered)):
            self.world.sleep(self.fate.pause())
            return ""
        side = "after" if answered else "before"
        self.world.trace.append(
            f"{self.world.elapsed():10.6f} {self.process.name} {fault} {side} {place}"
        )
        self.world.seen[f"{fault.split()[0]} {side} {place}"] += 1
        kind, _, much = fault.partition(" ")
        if kind == "crash":
            self.truth.doubt(self.process)
            self.crashed(self.process)
            raise GreenletExit
        if kind in ("freeze", "slow"):
            if kind == "freeze":
                self.world.freeze(self.process, float(much))
            if kind == "freeze" or place in SENDING:
                self.truth.doubt(self.process)
            self.world.wait(float(much), self.world.storm_is_over)
        else:
            self.world.sleep(self.fate.pause())
        return fault

    def call(self, place: str, effect: Callable[..., Any], *args: Any) -> Any:
        fault = self.pass_by(place)
        if fault == "error":
            raise StoreError(f"{place}: connection refused")
        answer = effect(*args)
        if isinstance(answer, Iterator):
            answer = list(answer)
        if self.pass_by(place, answered=True) == "lost":
            if place == "store.claim":
                # What was just claimed it will not send; a batch before it may be under way.
                claimed = {move.run.task_id for move in args[0] if move.run is not None}
                self.truth.holding[self.process] -= claimed
                self.truth.losses.unanswered |= claimed
            raise StoreError(f"{place}: the connection was lost")
        return answer


class HeldMoves(Struct, frozen=True):
    """As in a transaction: nothing is claimed before the last word."""

    make: Callable[[], Sequence[bool]]

    def drop(self) -> None: ...


class StoreWire:
    """A store as one process reaches it."""

    def __init__(self, wire: Wire, tells: bool) -> None:
        self._wire, self._tells = wire, tells
        self._store = wire.truth.store

    @property
    def namespace(self) -> Any:
        return self._store.namespace

    @property
    def marks(self) -> Marks:
        return Marks(self)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        effect, place, call = getattr(self._store, name), f"store.{name}", self._wire.call
        if name in STALE:
            effect = partial(read, self._store, name)

        def called(*args: Any, **more: Any) -> Any:
            return call(place, partial(effect, **more) if more else effect, *args)

        setattr(self, name, called)
        return called

    def claim(self, moves: Sequence[Move], term: Term, at: datetime) -> Sequence[bool]:
        made: Sequence[bool] = self._wire.call("store.claim", self._store.claim, moves, term, at)
        return made

    def hold(self, moves: Sequence[Move], term: Term, at: datetime) -> HeldMoves:
        if self._wire.pass_by("store.hold") == "error":
            raise StoreError("store.hold: connection refused")
        return HeldMoves(lambda: self.claim(moves, term, at))

    def record(self, results: Sequence[Any]) -> None:
        before = self._wire.world.elapsed()
        try:
            self._wire.call("store.record", self._store.record, results)
        except StoreError:
            for result in results:
                self._wire.truth.doubts[result.run.task_id] += 1
            raise
        if self._wire.world.elapsed() - before > PUBLISH_TIMEOUT:
            self._wire.truth.doubt(self._wire.process)

    def now(self) -> StoreTime | None:
        wire, clock = self._wire, self._wire.truth.clock
        if clock is None:
            return None
        asked = wire.world.elapsed()
        self._go_round()
        told: StoreTime = wire.call("store.now", clock.told)
        self._go_round()
        clock.answers(wire.process, asked, told)
        return told

    def _go_round(self) -> None:
        detour = self._wire.fate.detour()
        if detour:
            self._wire.world.sleep(detour)

    def running(self, names: Sequence[str] | None) -> Mapping[str, Running]:
        """No boundary where all entries allow overlap, so that those scenarios stay as they are."""
        if not self._store._tables.running:
            return {}
        found: Mapping[str, Running] = self._wire.call("store.running", self._store.running, names)
        return found

    def ending_pauses(self, before: datetime, limit: int) -> Sequence[str]:
        """No boundary where no pause ends, so that those scenarios stay as they are."""
        if not self._store._tables.pause_ends:
            return []
        effect = self._store.ending_pauses
        found: Sequence[str] = self._wire.call("store.ending_pauses", effect, before, limit)
        return found

    def forget_changes(self, before: datetime, keep: int) -> int:
        return self._store.forget_changes(before, keep)

    def losses(self) -> Sequence[str]:
        return self._store.losses()

    def watch(self, wake: Callable[[], None]) -> bool:
        if self._tells:
            self._wire.process.wake = wake
        return self._tells

    def close(self) -> None: ...


class LeaseWire:
    def __init__(self, wire: Wire, lease: FakeLease) -> None:
        self._wire, self._lease = wire, lease

    def take(self, holder: Holder, ttl: float) -> Holder:
        return self._wire.call("lease.take", self._lease.take, holder, ttl)

    def release(self, holder: Holder) -> None:
        self._wire.call("lease.release", self._lease.release, holder)

    def close(self) -> None: ...
