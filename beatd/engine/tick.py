"""One tick: the way of an occurrence from the plan to its record, in the order in which it happens.

    read ahead -> take what is due -> settle -> claim -> publish -> tell observers -> record
                                        ^                   |
                                        +-- the next batch -+

A batch is published while the next one is settled and claimed (`Overlap`). How far is read ahead,
how large a batch is, what is prepared and who waits is decided beside this line, in files of their
own. The tick never sleeps; it knows no backend, and runs on a leader and on a standby alike.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from msgspec import Struct

from beatd.clock import Clock
from beatd.engine.batch_size import BatchSize, batches_of
from beatd.engine.broker_outage import BrokerOutage
from beatd.engine.clock_steps import ClockSteps
from beatd.engine.dispatch import Claimed, Dispatch, Published
from beatd.engine.election import Election
from beatd.engine.lookahead import LOOK_EVERY, Lookahead
from beatd.engine.moves import Mover
from beatd.engine.open_claims import OpenClaims
from beatd.engine.outage_causes import OutageCauses
from beatd.engine.overlap import Overlap
from beatd.engine.standby import Standby
from beatd.engine.store_outage import StoreOutage
from beatd.engine.store_writes import StoreWrites
from beatd.engine.unapplied import NOTHING_WAITS, Unapplied
from beatd.errors import Deposed, StoreEmptied, StoreError
from beatd.events import Observer, Ticked, nobody
from beatd.leader import Lead, Term
from beatd.ledger import Claims, Ledger, Move, Result
from beatd.planning import shared_next_after
from beatd.publisher import Publisher

T = TypeVar("T")


class Limits(Struct, frozen=True):
    batch: int = 1000
    publish_timeout: float = 5.0
    overdue: timedelta = timedelta(seconds=10)


class Tick:
    """The ticks of one daemon. All of it runs on the thread that calls `tick`, but `_publish`."""

    def __init__(
        self,
        *,
        store: Ledger,
        claims: Claims,
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
        limits = limits or Limits()
        self._store, self._claims, self._dispatch = store, claims, dispatch
        self._election, self._clock, self._set_clock = election, clock, set_clock
        self._tell, self._unapplied = tell, unapplied
        tell = self._causes = OutageCauses(clock, tell)
        self.store_outage = StoreOutage(writes, clock=clock, tell=tell)
        self.broker_outage = BrokerOutage(publisher, clock=clock, tell=tell)
        self._clock_steps = ClockSteps(clock, tell)
        self._standby = Standby(
            store, self.broker_outage, clock=clock, tell=tell, patience=limits.overdue
        )
        self._lookahead = Lookahead(store, publisher, clock=clock, tell=tell)
        self._open_claims = OpenClaims(
            store, clock=clock, publish_timeout=limits.publish_timeout, ttl=election.ttl
        )
        self._batch, self._overlap = BatchSize(limits.batch, ttl=election.ttl), Overlap[Published]()
        self._next_after = shared_next_after()
        self._term: Term | None = None
        self._unrecorded: list[Result] = []  # while the store is away
        self._is_prepared = False

    def use(self, dispatch: Dispatch) -> None:
        """Dispatch in this way from the next tick on; on the thread that ticks."""
        dispatch.unsent.update(self._dispatch.unsent)
        self._dispatch = dispatch

    def noticed_change(self) -> None:
        """Read again at the next tick what was read ahead: something was edited or requested."""
        self._lookahead.is_stale = True
        self._open_claims.noticed_change()

    def close(self) -> None:
        self._overlap.close()

    def tick(self) -> datetime:
        """Do what is due, and return the moment to look again."""
        now = self._clock.now()
        if self._clock_steps.notice(now):
            self._lookahead.forget()
        self._is_prepared = False
        try:
            again = self._turn(now)
            self.store_outage.answered()
        except Deposed as refusal:
            self._election.deposed(str(refusal))
            self._lookahead.forget()
            again = now + timedelta(seconds=self._election.ttl)
        except StoreError as trouble:
            if isinstance(trouble, StoreEmptied):
                self._election.emptied(str(trouble))
            self._lookahead.forget()
            again = now + self.store_outage.failed(trouble)
        finally:
            if not self._is_prepared:
                self._dispatch.drop_prepared()
        self._tell(Ticked(now, again))
        return again

    def _turn(self, now: datetime) -> datetime:
        if not self.store_outage.over:
            # Another server may answer by now, and its clock may be behind.
            self._set_clock()
            now = self._clock.now()
        self._record_late()  # whoever leads: what was published is a fact
        lead = self._begun_lead()
        if lead is None:
            self._standby.watch(self._election.holder(), now)
            return now + LOOK_EVERY
        if not self.broker_outage.answers():
            self._store.version()  # nothing else asks the store meanwhile, and it may go away, too
            return now + self.broker_outage.back_off()

        waiting = self._unapplied(lead.term.number)
        self._lookahead.read(now, waiting)
        limit = self._batch.rows_a_tick
        due = self._lookahead.take_due(now, limit)
        if due:
            settle = partial(self._lookahead.moves.settle, now=now)
            self._lookahead.move_on(due, self._send(due, settle, lead))
        more = len(due) == limit
        if not more:
            self._send_open_claims(now, waiting, lead)
        if not due:  # What is due must not wait for what can be done ahead.
            more = self._work_ahead(now, lead.term)
        return now if more else self._lookahead.next_look(now)

    def _begun_lead(self) -> Lead | None:
        """The lead, its term begun; None on a standby."""
        lead = self._election.lead()
        if lead is None or lead.term != self._term:
            self._dispatch.drop_prepared()
            self._lookahead.forget()
        if lead is not None:
            self._standby.ends()
            if lead.term != self._term:
                self._term = lead.term
                # A store that came back empty has another namespace.
                mover = Mover(self._store.namespace, self._next_after, self._causes.of)
                self._lookahead.moves.begin(mover)
                self._causes.leads(self._clock.now())
                self._open_claims.begin()
                self.broker_outage.forget()
        return lead

    def _send(
        self, items: Sequence[T], settle: Callable[[Sequence[T]], Sequence[Move]], lead: Lead
    ) -> list[Published]:
        """Settle, claim, publish and record, batch by batch, as long as the lead is trusted."""
        began, left = self._clock.elapsed(), list[Sequence[Move]]()
        batches = batches_of(items, self._batch.now, self._dispatch.first)
        try:
            for batch in batches:
                left.append(self._claim(settle(batch), lead, is_last=batch is batches[-1]))
            while left := [moves for moves in left if moves]:
                left.append(self._claim(left.pop(0), lead, is_last=len(left) == 1))
            published = self._overlap.finish()
        except BaseException:
            self._overlap.abandon()
            raise
        doubt = next((batch.doubt for batch in published if batch.doubt), "")
        if doubt:
            # It has been away since it was spoken to, not since its time-out: others are waiting.
            self.broker_outage.begin(doubt, since=began)
        self._batch.learn(len(items), self._clock.elapsed() - began)
        return published

    def _claim(self, moves: Sequence[Move], lead: Lead, *, is_last: bool) -> Sequence[Move]:
        """Claim a batch and begin to publish it; return moves that need a batch of their own."""
        if not moves:
            return ()
        if not self._trusts(lead):
            self._lookahead.is_stale = True
            return ()
        claimed = self._dispatch.claim(moves, lead.term)
        publish = partial(self._publish, claimed, lead)
        self._overlap.start(publish, threaded=not (is_last or self._dispatch.atomic))
        return claimed.left

    def _publish(self, claimed: Claimed, lead: Lead) -> Published:
        """Publish a claimed batch, tell observers, and record: perhaps on the second thread."""
        published = claimed.publish(partial(self._trusts, lead))
        for event in published.events():
            self._tell(event)
        if published.unrecorded:
            try:
                self._claims.record(published.unrecorded)
            except StoreError:
                self._unrecorded += published.unrecorded
                raise
        return published

    def _record_late(self) -> None:
        """Record what could not be recorded when it happened."""
        if self._unrecorded:
            self._dispatch.drop_prepared()
            self._claims.record(self._unrecorded)
            self._unrecorded = []

    def _send_open_claims(self, now: datetime, waiting: Unapplied, lead: Lead) -> None:
        never_sent = self._dispatch.never_sent
        moves = self._open_claims.moves(
            now, self._lookahead.moves.mover, never_sent, self._batch.now, waiting
        )
        if moves:
            self._open_claims.sent(self._send(moves, lambda batch: batch, lead))
            self._lookahead.is_stale = True

    def _work_ahead(self, now: datetime, term: Term) -> bool:
        """Settle, render and prepare before the moment. True if there is more to do at once."""
        if self._lookahead.settle_ahead(now):
            return True
        soon = self._lookahead.next_batch(now)
        if soon is None:
            return self._dispatch.write_history()
        at, moves = soon
        batches = batches_of(moves, self._batch.now, self._dispatch.first)
        self._dispatch.prepare(batches, term, at)
        self._is_prepared = True
        return False

    def _trusts(self, lead: Lead) -> bool:
        now = self._election.lead()
        return now is not None and now.term == lead.term
