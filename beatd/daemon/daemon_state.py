"""The parts of a daemon and their state, which every thread may read."""

from datetime import datetime

from beatd.clock import Clock
from beatd.daemon.housekeeping import Housekeeping
from beatd.daemon.loop import Loop
from beatd.daemon.store_clock import StoreClock
from beatd.daemon.store_status import problems_to_announce
from beatd.dispatch import Dispatch
from beatd.engine.election import Election
from beatd.engine.tick import Tick
from beatd.leader import Holder
from beatd.observers.last_state import LastState
from beatd.presence import Presence
from beatd.publisher import Publisher
from beatd.secret import hidden
from beatd.store import Roles

TICK_STALE_AFTER_S = 10.0  # then the ticks are stuck, and another daemon should lead
REASON_MAX_CHARS = 300  # of each reason in the daemon's presence


class DaemonState:
    """Holds the parts of a daemon, each None until it is open. No method contacts a server."""

    housekeeping: Housekeeping
    loops: tuple[Loop, ...]

    def __init__(self, *, me: Holder, clock: Clock) -> None:
        self.me, self.clock = me, clock
        self.last_state = LastState()
        self.store_clock = StoreClock(clock)
        self.store: Roles | None = None
        self.publisher: Publisher | None = None
        self.dispatch: Dispatch | None = None
        self.election: Election | None = None
        self.engine: Tick | None = None
        self.ticked_at = clock.elapsed()

    def now(self) -> datetime:
        """Return the current time, of the store's clock or, if it has none, of the host's."""
        return self.clock.now()

    def tick_age(self) -> float:
        """Return the seconds since the last tick ended."""
        return self.clock.elapsed() - self.ticked_at

    def alive(self) -> bool:
        """True if the ticks and both loops (campaign and housekeeping) make progress."""
        return not self.trouble()

    def leading(self) -> bool:
        """True if this daemon leads now."""
        return self.election is not None and self.election.lead() is not None

    def term(self) -> int:
        """Return the number of the term that this daemon leads; 0 on a standby."""
        lead = self.election.lead() if self.election is not None else None
        return 0 if lead is None else lead.term.number

    def ready(self) -> bool:
        """True if the store, the broker and the lock can be used, and a leader is known."""
        engine, election = self.engine, self.election
        if engine is None or election is None:
            return False
        known = self.leading() or election.holder() is not None
        usable = engine.store_outage.over and engine.broker_outage.over and self.lock_ok
        return self.alive() and usable and known

    @property
    def lock_ok(self) -> bool:
        """True if the daemon is open and the lock can be used."""
        return self.election is not None and not self.election.lock_trouble

    @property
    def conflicts(self) -> list[str]:
        """One line for each declaration that failed and for each loss in the store."""
        return self.housekeeping.conflicts

    @property
    def entries(self) -> int:
        """The number of entries in the store when this daemon last counted them as the leader."""
        return self.housekeeping.entries

    @property
    def clock_offset(self) -> float:
        """The seconds that the host's clock is ahead of the store's."""
        return self.store_clock.offset_s

    def trouble(self) -> str:
        """Return why this process makes no progress, or "" if it does.

        A server that is away is no such reason.
        """
        if self.tick_age() >= TICK_STALE_AFTER_S:
            return f"the loop is stuck: last tick {self.tick_age():.1f} s ago"
        return next((trouble for loop in self.loops if (trouble := loop.trouble())), "")

    def store_trouble(self) -> str:
        """Return why the store cannot be used, or an empty text."""
        return (
            self.engine.store_outage.reason
            if self.engine is not None
            else self.last_state.store_away
        )

    def lock_trouble(self) -> str:
        """Return why the lock cannot be used, or an empty text."""
        return self.election.lock_trouble[:REASON_MAX_CHARS] if self.election is not None else ""

    def broker_trouble(self) -> str:
        """Return why the broker cannot be used, or an empty text; passwords are hidden."""
        if self.engine is None or self.publisher is None or self.engine.broker_outage.over:
            return ""
        return hidden(self.publisher.trouble())[:REASON_MAX_CHARS]

    def stats(self) -> dict[str, float]:
        """Return the figures that this daemon announces: age of the last tick (seconds), 1.0 or 0.0
        for an atomic dispatch, percentiles of lateness (seconds) and the number of runs per
        outcome."""
        state = self.last_state
        late = {f"late_{key}": s for key, s in state.lateness().items() if s is not None}
        counts = {f"runs_{end}": float(count) for end, count in state.run_counts().items()}
        atomic = float(self.dispatch is not None and self.dispatch.atomic)
        return {"tick_age": round(self.tick_age(), 3), "atomic": atomic, **late, **counts}

    def presence(self) -> Presence:
        """Return the presence record of this daemon; its parts must be open."""
        assert self.engine is not None
        return Presence(
            holder=self.me,
            role="leader" if self.leading() else "standby",
            broker_ok=self.engine.broker_outage.over,
            seen_at=self.clock.now(),
            clock_offset=self.clock_offset,
            declares=self.housekeeping.declares,
            stats=self.stats(),
            broker=self.broker_trouble(),
            problems=problems_to_announce(self.conflicts, self.me.name),
            lock=self.lock_trouble(),
            went_back=hidden(self.last_state.went_back)[:REASON_MAX_CHARS],
        )
