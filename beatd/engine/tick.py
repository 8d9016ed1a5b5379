"""The beat: upcoming -> due -> claim -> publish -> record -> tell, one straight line on a batch.

`tick` never sleeps; it does what is due and returns the moment to look again. It knows no backend,
reads the time once, and may be called on a leader and on a standby alike.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from beatd.catalog import Plan, Stored
from beatd.clock import Clock
from beatd.engine.batch_size import BatchSize
from beatd.engine.broker_outage import Reach
from beatd.engine.dispatch import Dispatch, Done, batches_of
from beatd.engine.election import Election
from beatd.engine.lookahead import Ahead
from beatd.engine.moves import Mover, holds_until
from beatd.engine.open_claims import Beside
from beatd.engine.outage import Outage
from beatd.engine.outage_causes import Causes
from beatd.engine.rewind import Hindsight
from beatd.engine.standby import Standby
from beatd.engine.store_writes import StoreWrites
from beatd.engine.unapplied import NOTHING_WAITS, Unapplied
from beatd.errors import Deposed, StoreEmptied, StoreError
from beatd.events import ClockStepped, Observer, StoreAway, StoreBack, Ticked, Unplannable, nobody
from beatd.leader import Lead, Term
from beatd.ledger import Ledger, Move
from beatd.planning import shared_next_after
from beatd.publisher import Publisher
from beatd.run import Run

LOOK_AGAIN = timedelta(seconds=1)  # edits are noticed within this, where the store cannot tell
AHEAD = timedelta(seconds=2)
SOON = timedelta(milliseconds=25)  # before what is due, to look whether what was read still holds
STEP = 1.0  # seconds the clock may be corrected by without a word
BATCHES = 4  # that a tick takes at most, so that they overlap
READY = 875  # messages packed in the last moment before, and no more than takes half of that
CHUNK = 100  # messages built ahead between two looks at what is due
FAULTY = 10_000  # entries whose plan failed that are remembered, so that each is told of once
FEW, MANY = 16, 20_000  # rows read ahead: when little is due soon, and at most
MOST_WITH_WAITING = 200_000  # rows read ahead where some wait: they lie before those that do not


class Limits(Struct, frozen=True):
    batch: int = 1000
    publish_timeout: float = 5.0
    overdue: timedelta = timedelta(seconds=10)


class Engine:
    """One daemon's beat. All of it runs on the thread that calls `tick`."""

    def __init__(
        self,
        *,
        store: Ledger,
        publisher: Publisher,
        dispatch: Dispatch,
        election: Election,
        clock: Clock,
        tell: Observer = nobody,
        limits: Limits | None = None,
        writes: StoreWrites | None = None,
        set_clock: Callable[[], None] = lambda: None,
        unapplied: Callable[[int], Unapplied] = lambda term: NOTHING_WAITS,
    ) -> None:
        self._writes, self._set_clock = writes, set_clock
        self._unapplied, self._waiting = unapplied, NOTHING_WAITS
        self._store, self._publisher, self._dispatch = store, publisher, dispatch
        self._election, self._clock, self._tell = election, clock, tell
        limits = limits or Limits()
        tell = self._causes = Causes(clock, tell)
        self._next_after = shared_next_after()
        self._ahead = Ahead()
        self._beside = Beside(
            store, clock=clock, publish_timeout=limits.publish_timeout, ttl=election.ttl
        )
        self._hindsight = Hindsight(tell)
        self._broker = Reach(publisher, clock=clock, tell=tell)
        self._store_outage = Outage(StoreAway, StoreBack, clock=clock, tell=tell)
        self._standby = Standby(
            store, self._broker, clock=clock, tell=tell, patience=limits.overdue
        )
        self._term_seen: Term | None = None
        self._batch = BatchSize(limits.batch, ttl=election.ttl)
        self._fresh = False
        self._is_ready = False  # the last thing a tick did was to make the next one ready
        self._faulty = dict[str, int]()  # entries whose plan failed, and the revision told of
        self._mover: Mover  # of the store's namespace, made when a term begins
        self._last_look = (clock.now(), clock.elapsed())
        self._reach = FEW
        self._version = ""

    # what others ask

    @property
    def broker_ok(self) -> bool:
        return self._broker.ok

    @property
    def broker_away_for(self) -> float:
        return self._broker.outage.lasts

    @property
    def store_ok(self) -> bool:
        return self._store_outage.over

    @property
    def store_trouble(self) -> str:
        """Why the store cannot be used; nothing while it can."""
        return self._store_outage.reason

    def use(self, dispatch: Dispatch) -> None:
        """From the next tick on; on the thread that ticks."""
        self._dispatch = dispatch

    def noticed_change(self) -> None:
        """Something was edited: what was read ahead is read again at the next tick."""
        self._fresh = False
        self._beside.noticed_change()

    # the line

    def tick(self) -> datetime:
        now = self._clock.now()
        self._notice_step(now)
        self._is_ready = False
        try:
            again = self._turn(now)
            self._judge_store()
        except Deposed as refusal:
            self._election.deposed(str(refusal))
            self._ahead.forget()
            again = now + timedelta(seconds=self._election.ttl)
        except StoreError as trouble:
            if isinstance(trouble, StoreEmptied):
                self._election.emptied(str(trouble))
            self._ahead.forget()
            if self._writes is not None:
                self._writes.doubt()
            self._store_outage.begin(str(trouble))
            again = now + self._store_outage.back_off()
        finally:
            if not self._is_ready:
                self._dispatch.drop_ready()
        self._tell(Ticked(now, again))
        return again

    def _judge_store(self) -> None:
        """After a tick that the store answered: it may still refuse what is written."""
        writes = self._writes
        if writes is not None and writes.trouble:
            self._store_outage.begin(f"it refuses writes: {writes.trouble}")
        elif writes is None or writes.proven:
            self._store_outage.end()

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
        if not self._store_outage.over:
            # Another server may answer by now, and its clock may be behind.
            self._set_clock()
            now = self._clock.now()
        self._dispatch.settle_accounts()  # whoever leads: what was published is a fact
        lead = self._election.lead()
        if lead is None or lead.term != self._term_seen:
            self._dispatch.drop_ready()
        if lead is None:
            self._ahead.forget()
            self._standby.watch(self._election.holder(), now)
            return now + LOOK_AGAIN
        self._standby.ends()
        if lead.term != self._term_seen:
            self._begin(lead.term)
        if not self._broker.answers():
            self._store.version()  # nothing else asks the store meanwhile, and it may go away, too
            return now + self._broker.outage.back_off()
        self._look_who_waits(lead.term)
        self._look_ahead(now)
        limit = self._batch.now * BATCHES
        due = self._ahead.take_due(now, limit)
        more = len(due) == limit
        if due:
            self._run(due, now, lead)
        if not more:
            self._work_off(now, lead)
        # Building ahead is for idle moments: what is due must not wait for it.
        if not due:
            more = self._prepare(now)
            if not more and not self._got_ready(now, lead.term):
                more = self._dispatch.write_up()
        return self._next_look(now, busy=more)

    def _begin(self, term: Term) -> None:
        # A store that came back empty has another namespace.
        self._mover = Mover(self._store.namespace, self._next_after, self._causes.of)
        self._causes.leads(self._clock.now())
        self._ahead.forget()
        self._faulty.clear()
        self._beside.begin()
        self._broker.forget()
        self._term_seen = term

    def _look_who_waits(self, term: Term) -> None:
        waiting = self._unapplied(term.number)
        if waiting != self._waiting:
            self._waiting = waiting
            self.noticed_change()

    def _next_look(self, now: datetime, *, busy: bool) -> datetime:
        if busy or not self._fresh:
            return now
        if self._ahead.exhausted(now):
            return now
        known_for = self._clock.elapsed() - self._ahead.read_at
        again = now + max(SOON, LOOK_AGAIN - timedelta(seconds=known_for))
        soonest = self._ahead.next_due()
        if soonest is None:
            return again
        return min(again, soonest if soonest - SOON <= now else soonest - SOON)

    def _run(self, due: Sequence[Stored], now: datetime, lead: Lead) -> None:
        taken, moves = list[Stored](), list[Move]()

        def batches() -> Iterator[Sequence[Move]]:
            # Settled one batch at a time, while the broker has the one before in hand.
            for rows in batches_of(due, self._batch.now, self._dispatch.first):
                batch = list[Move]()
                for row in rows:
                    move = self._ahead.move_of(row, now) or self._settled(row, now)
                    if move is not None:
                        taken.append(row)
                        batch.append(move)
                moves.extend(batch)
                if batch:
                    yield batch

        made, newest = self._send(batches(), len(due), lead).made, None
        refused = list[str]()
        for row, move, ok in zip(taken, moves, made, strict=True):
            if not ok:
                self._fresh = False
                refused.append(row.entry.name)
            elif move.plan is not None and move.plan.planned is not None:
                newest = moved_on(row, move.plan, move.counts)
                self._ahead.add(newest)
        if refused:
            self._forget(refused)
        if newest is not None:
            self._hindsight.claimed(newest)

    def _forget(self, names: Sequence[str]) -> None:
        """Entries that may be gone leave nothing in a cache."""
        self._publisher.forget(names)
        self._store.drop_cached(names)
        for name in names:
            self._faulty.pop(name, None)

    def _settled(self, row: Stored, now: datetime) -> Move | None:
        if self._faulty.get(row.entry.name) == row.revision:
            return None  # not tried again: a search that is given up takes its time
        try:
            return self._mover.due(row, now)
        except Exception as fault:  # one entry must not end the beat of all
            if len(self._faulty) >= FAULTY:
                self._faulty.clear()
            self._faulty[row.entry.name] = row.revision
            self._tell(Unplannable(row.entry.name, f"{type(fault).__name__}: {fault}"))
            return None

    def _work_off(self, now: datetime, lead: Lead) -> None:
        never_sent = self._dispatch.never_sent
        moves = self._beside.moves(now, self._mover, never_sent, self._batch.now, self._waiting)
        if moves:
            batches = batches_of(moves, self._batch.now, self._dispatch.first)
            self._beside.sent(moves, self._send(batches, len(moves), lead))
            self._fresh = False

    def _send(self, batches: Iterable[Sequence[Move]], count: int, lead: Lead) -> Done:
        started, size = self._clock.elapsed(), self._batch.now
        done = self._dispatch(batches, lead.term, self._may_go_on(lead))
        if done.doubt:
            self._broker.doubt(done.doubt, since=started)
        each = (self._clock.elapsed() - started) / -(-count // size)
        self._batch.learn(min(count, size), each)
        return done

    def _may_go_on(self, lead: Lead) -> Callable[[], bool]:
        def trusted() -> bool:
            now = self._election.lead()
            return now is not None and now.term == lead.term

        return trusted

    # what was read ahead

    def _look_ahead(self, now: datetime) -> None:
        elapsed = self._clock.elapsed()
        if not self._must_read(now, elapsed):
            return
        self._fresh = True
        limit, horizon, waiting = self._reach, now + AHEAD, self._waiting
        most = MOST_WITH_WAITING if waiting else MANY
        while True:
            found = rows = self._store.upcoming(limit)
            covers = found[-1].plan.due if len(found) >= limit else None
            if waiting:
                rows = [row for row in found if not waiting.waits(row.entry)]
            if covers is None or covers > horizon or limit >= most or len(rows) >= MANY:
                break
            limit = min(limit * 10, most)
        if covers is not None and limit >= MOST_WITH_WAITING:
            covers = max(covers, now + LOOK_AGAIN)  # or the next look would be at once, and no good
        soon = sum(1 for row in found if row.plan.due is not None and row.plan.due <= horizon)
        # A power of two: a SQL store prepares and keeps a statement for each limit.
        self._reach = max(FEW, min(limit, 1 << (soon * 2).bit_length()))
        if gone := self._ahead.load(rows, covers, elapsed):
            self._forget(gone)
        self._hindsight.read(found, now)

    def _must_read(self, now: datetime, elapsed: float) -> bool:
        """After an edit, when what was read runs out, and when the store's version has changed."""
        if not self._fresh or self._ahead.unread or self._ahead.exhausted(now):
            return True
        if elapsed - self._ahead.read_at < (LOOK_AGAIN - SOON * 2).total_seconds():
            return False
        if self._ahead.covers is not None and self._ahead.covers <= now + AHEAD:
            return True
        version = self._store.version()
        known, self._version = self._version, version
        self._ahead.read_at = elapsed
        return version != known

    def _got_ready(self, now: datetime, term: Term) -> bool:
        """The first of a herd, packed in the last moment before it; whether that is now."""
        soonest = self._ahead.next_due()
        if soonest is None or soonest - now > SOON:
            return False
        moves = self._ahead.moves_at(soonest, READY)
        batches = batches_of(moves, self._batch.now, self._dispatch.first)
        self._dispatch.get_ready(batches, term, soonest)
        self._is_ready = True
        return True

    def _prepare(self, now: datetime) -> bool:
        """Settle some rows as of their moments, and build their messages; whether there is more."""
        rows = self._ahead.take_unprepared(now + AHEAD, CHUNK)
        runs = list[Run]()
        for row in rows:
            assert row.plan.due is not None
            move = self._settled(row, max(now, row.plan.due))
            if move is None:
                continue
            until = holds_until(row, move)
            if until is not None:
                self._ahead.keep(row, move, until)
            if move.run is not None:
                runs.append(move.run)
        self._publisher.prepare(runs)
        return len(rows) == CHUNK


def moved_on(row: Stored, plan: Plan, counts: int) -> Stored:
    planned = row.plan.planned
    return Stored(row.entry, row.revision, row.paused, plan, row.runs + counts, planned)
