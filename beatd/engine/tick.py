"""Run one tick of a daemon, a scheduling pass that sends the runs that are due.

read ahead -> pop what is due -> settle -> claim -> publish -> emit events -> record
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from beatd.clock import Clock
from beatd.dispatch import Claimed, Dispatch, Published
from beatd.engine.batch_events import events_of
from beatd.engine.batch_size import BatchSize, T, batches_of
from beatd.engine.broker_outage import BrokerOutage
from beatd.engine.clock_steps import ClockSteps
from beatd.engine.election import Election
from beatd.engine.limits import Limits
from beatd.engine.lookahead import LOOK_EVERY, Lookahead
from beatd.engine.moves import Mover
from beatd.engine.open_claims import OpenClaims, WithArguments, as_it_is
from beatd.engine.outage_causes import OutageCauses
from beatd.engine.pipeline import Pipeline
from beatd.engine.standby import Standby
from beatd.engine.store_outage import StoreOutage
from beatd.errors import Deposed, ProgramTooOld, StoreEmptied, StoreError
from beatd.events import Observer, Ticked, nobody
from beatd.leader import Term
from beatd.ledger import Claims, Ledger, Move, Result
from beatd.outcome import RunStates
from beatd.planning import shared_next_after
from beatd.publisher import Publisher
from beatd.unapplied import NOTHING_WAITS, Unapplied

OLD_CLOCK_S = 2.0  # a new leader reads the store's clock again that was read before


class Tick:
    """Runs the ticks of one daemon.

    `unapplied` returns the entries that must not run yet. `set_clock` sets `clock` from the store's
    if that was last read more than so many seconds ago.
    """

    def __init__(
        self,
        *,
        store: Ledger,
        runs: RunStates,
        claims: Claims,
        publisher: Publisher,
        dispatch: Dispatch,
        election: Election,
        clock: Clock,
        limits: Limits,
        emit: Observer = nobody,
        notes_writes: bool = False,
        set_clock: Callable[[float], None] = lambda older_than_s: None,
        unapplied: Callable[[int], Unapplied] = lambda term: NOTHING_WAITS,
        with_arguments: WithArguments = as_it_is,
    ) -> None:
        self._store, self._claims, self._dispatch = store, claims, dispatch
        self._election, self._clock, self._set_clock = election, clock, set_clock
        self._emit, self._unapplied = emit, unapplied
        emit = self._causes = OutageCauses(clock, emit, limits.publish_timeout)
        self.store_outage = StoreOutage(clock=clock, emit=emit, notes_writes=notes_writes)
        broker = self.broker_outage = BrokerOutage(publisher, clock=clock, emit=emit)
        self._standby = Standby(store, broker, clock, emit, limits)
        self._lookahead = Lookahead(store, runs, publisher, clock=clock, emit=emit)
        self._open_claims = OpenClaims(store, runs, clock, limits, election.ttl, with_arguments)
        self._batch = BatchSize(limits.batch, ttl=election.ttl)
        self._clock_steps = ClockSteps(clock, emit)
        self._pipeline = Pipeline[Published]()
        self._next_after, self._unrecorded = shared_next_after(), list[Result]()
        self._term: Term | None = None

    def use(self, dispatch: Dispatch) -> None:
        """Send runs through `dispatch` from now on; the thread that calls `tick` must do this."""
        dispatch.unsent.update(self._dispatch.unsent)
        self._dispatch = dispatch

    def noticed_change(self) -> None:
        """Make the next tick read the entries again, because one may have changed."""
        self._lookahead.is_stale = True
        self._open_claims.noticed_change()

    def close(self) -> None:
        """Stop the publishing thread after its current work, without waiting."""
        self._pipeline.close()

    def tick(self) -> datetime:
        """Send the runs that are due, and return the moment of the next tick."""
        now, self._lookahead.is_prepared = self._clock.now(), False
        if self._clock_steps.notice(now):
            self._lookahead.forget()
        try:
            again = self._turn(now)
            self.store_outage.answered()
        except (Deposed, ProgramTooOld) as refusal:
            self._election.deposed(str(refusal))
            again = now + timedelta(seconds=self._election.ttl)
        except StoreError as trouble:
            if isinstance(trouble, StoreEmptied):
                self._election.emptied(str(trouble))
            self._lookahead.forget()
            again = now + self.store_outage.failed(trouble)
        finally:
            if not self._lookahead.is_prepared:
                self._dispatch.drop_prepared()
        self._emit(Ticked(now, again))
        return again

    def _turn(self, now: datetime) -> datetime:
        # This may raise StoreError or Deposed.
        if not self.store_outage.over:
            self._set_clock(0.0)  # another server may answer by now, whose clock may be behind
            now = self._clock.now()
        self._record()  # also on a standby: a published message is a fact
        lead = self._election.lead()
        if lead is None or lead.term != self._term:
            self._dispatch.drop_prepared()
            self._lookahead.forget()
        if lead is None:
            self._standby.watch(self._election.holder(), now)
            return now + LOOK_EVERY
        self._standby.ends()
        if (term := lead.term) != self._term:
            self._set_clock(OLD_CLOCK_S)  # this process may have been suspended
            now = self._clock.now()
            self._begin(term)
        if not self.broker_outage.answers():
            self._store.version()  # to notice an outage of the store, too
            return now + self.broker_outage.back_off()
        waiting = self._unapplied(lead.nth)
        if are_held := self._open_claims.are_held:  # or a plan that waits, too, is always first
            self._send_open_claims(waiting, term)
        self._lookahead.read(now, waiting)  # with the runs of the backlogs that were just sent
        room = self._batch.rows_a_tick if self.broker_outage.over else 0
        due = self._lookahead.pop_due(now, room)
        more = len(due) == room
        if due:
            settle = partial(self._lookahead.moves.settle, now=now)
            self._lookahead.move_on(due, self._send(due, settle, term))
        if not (more or are_held):
            self._send_open_claims(waiting, term)
        if not due:  # Due rows must not wait for work that can be done ahead.
            more = self._lookahead.work_ahead(now, term, self._dispatch, self._batch)
        return now if more else self._lookahead.next_look(now)

    def _begin(self, term: Term) -> None:
        # The store may be another one than in the last term.
        self._term = term
        namespace = self._store.namespace
        self._lookahead.moves.begin(Mover(namespace, self._next_after, self._causes.of))
        self._causes.leads(self._clock.now())
        self._open_claims.begin()
        self.broker_outage.forget()

    def _send(
        self, items: Sequence[T], settle: Callable[[Sequence[T]], Sequence[Move]], term: Term
    ) -> list[Published]:
        began, left = self._clock.elapsed(), list[Sequence[Move]]()
        batches = batches_of(items, self._batch.now, self._dispatch.first)
        # One batch is published while the next one is claimed.
        with self._pipeline as pipeline:
            for batch in batches:
                left.append(self._claim(settle(batch), term, is_last=batch is batches[-1]))
            while left := [moves for moves in left if moves]:
                left.append(self._claim(left.pop(0), term, is_last=not left))
            published = pipeline.finish()
        self.broker_outage.learn(published, began)
        self._batch.learn(len(items), self._clock.elapsed() - began)
        return published

    def _claim(self, moves: Sequence[Move], term: Term, *, is_last: bool) -> Sequence[Move]:
        if not moves or not self._election.trusts(term):
            self._lookahead.is_stale |= bool(moves)
            return ()
        claimed = self._dispatch.claim(moves, term)
        threaded = not (is_last or self._dispatch.atomic)
        self._pipeline.start(partial(self._publish, claimed, term), threaded=threaded)
        # These need another batch.
        return claimed.left

    def _publish(self, claimed: Claimed, term: Term) -> Published:
        published = claimed.publish(partial(self._election.trusts, term))
        self._lookahead.rewind.sent(published)  # the record below may fail
        for event in events_of(published):
            self._emit(event)
        self._unrecorded += published.unrecorded
        self._record()
        return published

    def _record(self) -> None:
        # If this raises, the next tick tries again.
        if self._unrecorded:
            self._claims.record(self._unrecorded)
            self._unrecorded = []

    def _send_open_claims(self, waiting: Unapplied, term: Term) -> None:
        now, mover, limit = self._clock.now(), self._lookahead.moves.mover, self._batch.now
        moves = self._open_claims.moves(now, mover, self._dispatch.never_sent, limit, waiting)
        self._unrecorded += self._open_claims.arrived
        self._record()
        if moves:
            self._open_claims.sent(self._send(moves, lambda batch: batch, term))
            self._lookahead.is_stale = True
