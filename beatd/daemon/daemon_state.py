"""The parts of a daemon and its current state, which any thread may read."""

from datetime import datetime

from beatd import __version__
from beatd.clock import Clock
from beatd.daemon.housekeeping import Housekeeping
from beatd.daemon.loop import Loop
from beatd.daemon.store_clock import StoreClock
from beatd.daemon.store_status import problems_to_announce
from beatd.dispatch import Dispatch
from beatd.engine.election import Election
from beatd.engine.may_lead import TICK_STALE_AFTER_S
from beatd.engine.tick import Tick
from beatd.leader import Holder
from beatd.observers.last_state import LastState
from beatd.presence import Presence
from beatd.publisher import Publisher
from beatd.secret import hidden
from beatd.store import Roles

REASON_MAX_CHARS = 300  # of each reason in the daemon's presence


class DaemonState:
    """The parts and the current state of a daemon; no method contacts a server.

    Most parts are None until the daemon has opened them.
    """

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
        self.reloads = False  # True: it stops, and another daemon of this process goes on
        self.rests_until = 0.0  # by `Clock.elapsed`; in the past while a pass runs

    def now(self) -> datetime:
        """Return the current time of the store's clock, or of the host's if the store has none."""
        return self.clock.now()

    def tick_age(self) -> float:
        """Return the seconds since the last scheduling pass ended."""
        return self.clock.elapsed() - self.ticked_at

    def rests_for(self) -> float:
        """Return the seconds until the next scheduling pass begins, or 0 while one runs."""
        return max(0.0, self.rests_until - self.clock.elapsed())

    def alive(self) -> bool:
        """Return True if the scheduling and all background threads make progress."""
        return not self.trouble()

    def leading(self) -> bool:
        """Return True if this daemon is the leader now."""
        return self.election is not None and self.election.lead() is not None

    def term(self) -> int:
        """Return the number under which this daemon leads, or 0 if it does not lead.

        Each new leader gets a higher number.
        """
        lead = self.election.lead() if self.election is not None else None
        return 0 if lead is None else lead.term.number

    def nth_lead(self) -> int:
        """Return how many times this daemon has become the leader, or 0 if it does not lead now.

        Unlike the number of a term, it is another one for each lead, whatever the store lost.
        """
        lead = self.election.lead() if self.election is not None else None
        return 0 if lead is None else lead.nth

    def ready(self) -> bool:
        """Return True if nothing is stuck, all servers can be used, and a leader is known."""
        engine, election = self.engine, self.election
        if engine is None or election is None:
            return False
        known = self.leading() or election.holder() is not None
        usable = engine.store_outage.over and engine.broker_outage.over and self.lock_ok
        return self.alive() and usable and known

    @property
    def lock_ok(self) -> bool:
        """True if the leader's lock can be used; False until the daemon is open."""
        return self.election is not None and not self.election.lock_trouble

    @property
    def conflicts(self) -> list[str]:
        """The problems that maintenance found, one line of text for each.

        Such a problem is an invalid declaration of an entry, data that the store lost, or a leader
        that declares other entries.
        """
        return self.housekeeping.conflicts

    @property
    def entries(self) -> int:
        """The number of entries in the store when this daemon last counted them.

        Only the leader counts; the number is 0 before the first count.
        """
        return self.housekeeping.entries

    @property
    def clock_offset(self) -> float:
        """The seconds by which the host's clock is ahead of the store's clock."""
        return self.store_clock.offset_s

    def trouble(self) -> str:
        """Return why this process makes no progress, or "" if it makes progress.

        A server that does not answer is not such a reason.
        """
        if self.tick_age() >= TICK_STALE_AFTER_S:
            return f"the loop is stuck: last tick {self.tick_age():.1f} s ago"
        return next((trouble for loop in self.loops if (trouble := loop.trouble())), "")

    def store_trouble(self) -> str:
        """Return why the store cannot be used, or "" if no reason is known."""
        return (
            self.engine.store_outage.reason
            if self.engine is not None
            else self.last_state.store_away
        )

    def lock_trouble(self) -> str:
        """Return why the leader's lock cannot be used, or "" if no reason is known.

        A long reason is cut.
        """
        return self.election.lock_trouble[:REASON_MAX_CHARS] if self.election is not None else ""

    def lock_holder(self) -> str:
        """Return the name of the other daemon that has the leader's lock, or "" if none has it.

        It is that of the last try to get the lock, which a standby makes ten times a second.
        """
        holder = self.election.holder() if self.election is not None else None
        return "" if holder is None or holder.token == self.me.token else holder.name

    def broker_trouble(self) -> str:
        """Return why the broker cannot be used, or "" if no reason is known.

        Passwords are masked, and a long reason is cut.
        """
        if self.engine is None or self.publisher is None or self.engine.broker_outage.over:
            return ""
        return hidden(self.publisher.trouble())[:REASON_MAX_CHARS]

    def stats(self) -> dict[str, float]:
        """Return figures about this daemon for its status record in the store, by name.

        - `tick_age`: the seconds since the last scheduling pass.
        - `atomic`: 1.0 if one Redis script claims and publishes runs, else 0.0.
        - `broker_away`: the seconds since the broker is away; missing if it can be used.
        - `lock_ttl`: the seconds that the leader's lock lasts after each renewal.
        - `late_p50`, `late_p99`, `late_max`: the lateness of runs in seconds.
        - `runs_…`: the number of runs of each outcome, such as `runs_confirmed`.
        """
        state = self.last_state
        late = {f"late_{key}": s for key, s in state.lateness().items() if s is not None}
        counts = {f"runs_{end}": float(count) for end, count in state.run_counts().items()}
        atomic = float(self.dispatch is not None and self.dispatch.atomic)
        ttl = {"lock_ttl": self.election.ttl} if self.election is not None else {}
        away = round(self.engine.broker_outage.lasts, 3) if self.engine is not None else 0.0
        away_s = {"broker_away": away} if away else {}
        tick_age = round(self.tick_age(), 3)
        return {"tick_age": tick_age, "atomic": atomic, **away_s, **ttl, **late, **counts}

    def presence(self) -> Presence:
        """Return the status record that this daemon writes to the store; needs an open daemon."""
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
            version=__version__,
            lock_holder=self.lock_holder(),
            needs_reload=self.housekeeping.needs_reload,
        )
