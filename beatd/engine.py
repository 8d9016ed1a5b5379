"""The beat: upcoming -> due -> claim -> publish -> record -> tell, one straight line on a batch.

`tick` never sleeps; it does what is due and returns the moment to look again. It knows no backend,
reads the time once, and may be called on a leader and on a standby alike.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from beatd.ahead import Ahead
from beatd.catalog import Plan, Stored
from beatd.clock import Clock
from beatd.dispatch import Dispatch, Done
from beatd.election import Election
from beatd.errors import Deposed, StoreError
from beatd.events import (
    BrokerAway,
    BrokerBack,
    ClockStepped,
    Observer,
    OnTime,
    Overdue,
    StoreAway,
    StoreBack,
    Ticked,
    nobody,
)
from beatd.leader import Lead, Term
from beatd.ledger import Move
from beatd.moves import Mover, holds_until
from beatd.planning import shared_next_after
from beatd.publisher import Publisher
from beatd.store import Store

LOOK_AGAIN = timedelta(seconds=1)  # edits are noticed within this, where the store cannot tell
AHEAD = timedelta(seconds=2)
STEP = 1.0  # seconds the clock may be corrected by without a word
BESIDE = 100  # unknowns and requests worked off at a time
BATCHES = 4  # that a tick takes at most, so that they overlap
CHUNK = 100  # messages built ahead between two looks at what is due
FEW, MANY = 16, 20_000  # rows read ahead: when little is due soon, and at most


class Limits(Struct, frozen=True):
    batch: int = 1000
    publish_timeout: float = 5.0
    overdue: timedelta = timedelta(seconds=10)


class Engine:
    """One daemon's beat. All of it runs on the thread that calls `tick`."""

    def __init__(
        self,
        *,
        store: Store,
        publisher: Publisher,
        dispatch: Dispatch,
        election: Election,
        clock: Clock,
        tell: Observer = nobody,
        limits: Limits | None = None,
    ) -> None:
        self._store, self._publisher, self._dispatch = store, publisher, dispatch
        self._election, self._clock, self._tell = election, clock, tell
        self._limits = limits or Limits()
        self._next_after = shared_next_after()
        self._ahead = Ahead()
        self._term_seen: Term | None = None
        self._store_away_since: float | None = None
        self._broker_away_since: float | None = None
        self._pause = 0.0
        self._batch = self._limits.batch
        self._broker_asked = float("-inf")
        self._watched_since = clock.elapsed()
        self._owed: Overdue | None = None  # what a standby sees its leader owe
        self._beside_at = float("-inf")  # when what is beside the plan was last looked at
        self._asked = False  # something was asked for since
        self._held = False  # some of what is beside the plan did not go out
        self._fresh = False
        self._made: Mover | None = None
        self._last_look = (clock.now(), clock.elapsed())
        self._reach = FEW
        self._version = ""

    # what others ask

    @property
    def broker_ok(self) -> bool:
        return self._broker_away_since is None

    @property
    def broker_away_for(self) -> float:
        since = self._broker_away_since
        return 0.0 if since is None else self._clock.elapsed() - since

    @property
    def store_ok(self) -> bool:
        return self._store_away_since is None

    def use(self, dispatch: Dispatch) -> None:
        """From the next tick on; on the thread that ticks."""
        self._dispatch = dispatch

    def noticed_change(self) -> None:
        """Something was edited: what was read ahead is read again at the next tick."""
        self._fresh, self._asked = False, True

    # the line

    def tick(self) -> datetime:
        now = self._clock.now()
        self._notice_step(now)
        try:
            again = self._turn(now)
            self._store_back()
        except Deposed as refusal:
            self._election.deposed(str(refusal))
            self._ahead.forget()
            again = now + timedelta(seconds=self._election.ttl)
        except StoreError as trouble:
            again = now + self._store_away(str(trouble))
        self._tell(Ticked(now, again))
        return again

    def _notice_step(self, now: datetime) -> None:
        """The plan is right whatever the clock does; people want to know why an entry is quiet."""
        elapsed = self._clock.elapsed()
        last_now, last_elapsed = self._last_look
        self._last_look = (now, elapsed)
        step = (now - last_now).total_seconds() - (elapsed - last_elapsed)
        if abs(step) > STEP:
            self._ahead.forget()
            self._tell(ClockStepped(step))

    def _turn(self, now: datetime) -> datetime:
        self._dispatch.settle_accounts()  # whoever leads: what was published is a fact
        lead = self._election.lead()
        if lead is None:
            self._ahead.forget()
            return self._stand_by(now)
        self._watched_since = self._clock.elapsed()
        if lead.term != self._term_seen:
            self._ahead.forget()
            self._asked, self._held, self._term_seen = True, False, lead.term
            self._owed = None
            self._broker_asked = float("-inf")
            self._made = None  # a store that came back empty has another namespace
        if not self._broker_answers():
            return now + self._back_off()
        self._look_ahead(now)
        due = self._ahead.take_due(now, self._batch * BATCHES)
        more = len(due) == self._batch * BATCHES
        if due:
            self._run(due, now, lead)
        if not more:
            self._work_off(now, lead)
        # Building ahead is for idle moments: what is due must not wait for it.
        if not due and self._prepare(now):
            more = True
        return self._next_look(now, busy=more)

    def _next_look(self, now: datetime, *, busy: bool) -> datetime:
        if busy or not self._fresh:
            return now
        soonest = self._ahead.next_due()
        if self._ahead.exhausted(now):
            return now
        return now + LOOK_AGAIN if soonest is None else min(soonest, now + LOOK_AGAIN)

    def _run(self, due: Sequence[Stored], now: datetime, lead: Lead) -> None:
        mover = self._mover()
        moves = [self._ahead.move_of(row, now) or mover.due(row, now) for row in due]
        for row, move, made in zip(due, moves, self._send(moves, lead).made, strict=True):
            if not made:
                self._fresh = False
            elif move.plan is not None and move.plan.planned is not None:
                self._ahead.add(moved_on(row, move.plan, move.counts))

    def _send(self, moves: Sequence[Move], lead: Lead) -> Done:
        started = self._clock.elapsed()
        done = self._dispatch(moves, lead.term, self._may_go_on(lead), self._batch)
        if done.doubt:
            self.broker_is_away(done.doubt, since=started)
        batches = -(-len(moves) // self._batch)
        each = (self._clock.elapsed() - started) / batches
        self._cut_batches(min(len(moves), self._batch), each)
        return done

    def _cut_batches(self, size: int, seconds: float) -> None:
        """A batch must fit well into the lease: a quarter of it, or the next one is smaller."""
        quarter = self._election.ttl / 4
        if seconds > quarter:
            self._batch = max(10, size // 2)
        elif seconds < quarter / 2 and size >= self._batch:
            self._batch = min(self._limits.batch, self._batch * 2)

    def _may_go_on(self, lead: Lead) -> Callable[[], bool]:
        def trusted() -> bool:
            now = self._election.lead()
            return now is not None and now.term == lead.term

        return trusted

    def _mover(self) -> Mover:
        if self._made is None:
            self._made = Mover(self._store.namespace, self._next_after)
        return self._made

    # what was read ahead

    def _look_ahead(self, now: datetime) -> None:
        elapsed = self._clock.elapsed()
        if not self._must_read(now, elapsed):
            return
        self._fresh = True
        limit, horizon = self._reach, now + AHEAD
        while True:
            rows = self._store.upcoming(limit)
            covers = rows[-1].plan.due if len(rows) >= limit else None
            if covers is None or covers > horizon or limit >= MANY:
                break
            limit = min(limit * 10, MANY)
        soon = sum(1 for row in rows if row.plan.due is not None and row.plan.due <= horizon)
        self._reach = max(FEW, min(limit, soon * 2))
        self._ahead.load(rows, covers, elapsed)

    def _must_read(self, now: datetime, elapsed: float) -> bool:
        """After an edit, when what was read runs out, and when the store's version has changed."""
        if not self._fresh or self._ahead.unread or self._ahead.exhausted(now):
            return True
        if elapsed - self._ahead.read_at < LOOK_AGAIN.total_seconds():
            return False
        if self._ahead.covers is not None and self._ahead.covers <= now + AHEAD:
            return True
        version = self._store.version()
        known, self._version = self._version, version
        self._ahead.read_at = elapsed
        return version != known

    def _prepare(self, now: datetime) -> bool:
        """Settle some rows as of their moments, and build their messages; whether there is more."""
        rows = list(islice(self._ahead.unprepared(now + AHEAD), CHUNK))
        mover, runs = self._mover(), []
        for row in rows:
            assert row.plan.due is not None
            move = mover.due(row, max(now, row.plan.due))
            until = holds_until(row, move)
            if until is not None:
                self._ahead.keep(row, move, until)
            if move.run is not None:
                runs.append(move.run)
        self._publisher.prepare(runs)
        return len(rows) == CHUNK

    # what is beside the plan: unknown outcomes, and what was asked for by hand

    def _work_off(self, now: datetime, lead: Lead) -> None:
        """With capacity to spare only: what is due now never waits for this."""
        elapsed = self._clock.elapsed()
        paced = elapsed - self._beside_at >= LOOK_AGAIN.total_seconds()
        if not self._asked and not paced:
            return
        self._asked = False
        moves: list[Move] = []
        if paced or not self._held:  # what did not go out is not tried again at once
            self._beside_at = elapsed
            moves += self._open_claims(now)
        asked = self._requested(now)
        if moves or asked:
            done = self._send([*moves, *asked], lead)
            self._held, self._fresh = done.held, False
            # There may be more, and a full queue does not slow the others.
            self._asked = not done.held or any(done.made[len(moves) :])

    def _open_claims(self, now: datetime) -> list[Move]:
        long_ago = now - timedelta(seconds=self._limits.publish_timeout)
        mover, never_sent = self._mover(), self._dispatch.never_sent
        return [
            mover.again(claim, claim.unsent or never_sent(claim), now)
            for claim in self._store.unknowns(long_ago, BESIDE)
        ]

    def _requested(self, now: datetime) -> list[Move]:
        mover, moves = self._mover(), list[Move]()
        counted: Counter[str] = Counter()  # two backlogs of one entry share its `max_runs`
        for request, row in self._store.requests(BESIDE):
            if len(moves) >= self._batch:
                break
            if row is not None and counted[request.name]:
                row = replace(row, runs=row.runs + counted[request.name])
            asked = list(mover.asked(request, row, now, BESIDE))
            counted[request.name] += sum(move.counts for move in asked)
            moves += asked
        return moves

    # standing by, and waiting for what is away

    def _stand_by(self, now: datetime) -> datetime:
        """A standby watches its leader: what is long overdue is reported by it."""
        elapsed = self._clock.elapsed()
        if self._election.holder() is None:
            self._watched_since = elapsed
        if elapsed - self._beside_at >= LOOK_AGAIN.total_seconds():
            self._beside_at = elapsed
            patience = self._limits.overdue
            watched = timedelta(seconds=elapsed - self._watched_since)
            owed = None
            for row in self._store.upcoming(1):
                due = row.plan.due
                if due is not None and now - due > patience and watched > patience:
                    owed = Overdue(row.entry.name, due, (now - due).total_seconds())
            if (owed is None) != (self._owed is None):
                # Told when it begins and when it ends, not once a second in between.
                self._tell(owed or OnTime())
            self._owed = owed
            if not self.broker_ok or elapsed - self._broker_asked >= BROKER_ASKED_EVERY:
                self._broker_answers()
        return now + LOOK_AGAIN

    def _broker_answers(self) -> bool:
        asked = self._broker_asked != float("-inf")
        if asked and self._broker_away_since is None and self._election.lead() is not None:
            return True  # the last batch told; asking before each one would cost a round trip
        self._broker_asked = self._clock.elapsed()
        if self._publisher.reachable():
            self.broker_is_back()
            return True
        self.broker_is_away(self._publisher.trouble() or "no answer", since=self._broker_asked)
        return False

    def broker_is_away(self, reason: str, *, since: float) -> None:
        """Away since it was last asked, and not since its time-out: others are waiting."""
        if self._broker_away_since is None:
            self._broker_away_since = since
            self._tell(BrokerAway(reason))

    def broker_is_back(self) -> None:
        if self._broker_away_since is not None:
            self._tell(BrokerBack(self._clock.elapsed() - self._broker_away_since))
            self._broker_away_since, self._pause = None, 0.0

    def _store_away(self, reason: str) -> timedelta:
        self._ahead.forget()
        if self._store_away_since is None:
            self._store_away_since = self._clock.elapsed()
            self._tell(StoreAway(reason))
        return self._back_off()

    def _store_back(self) -> None:
        if self._store_away_since is not None:
            self._tell(StoreBack(self._clock.elapsed() - self._store_away_since))
            self._store_away_since, self._pause = None, 0.0

    def _back_off(self) -> timedelta:
        self._pause = min(0.5, self._pause * 2 or 0.05)
        return timedelta(seconds=self._pause)


BROKER_ASKED_EVERY = 2.0


def moved_on(row: Stored, plan: Plan, counts: int) -> Stored:
    planned = row.plan.planned
    return Stored(row.entry, row.revision, row.paused, plan, row.runs + counts, planned)
