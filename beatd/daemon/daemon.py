"""A daemon that publishes scheduled runs, with background threads for its other jobs.

The threads keep the leader's lock, maintain the store, and read the outcomes of runs. After the
start, only `stop` ends the daemon, or a note in the store that it was copied to another one.
"""

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial

from beatd import events
from beatd.clock import Clock
from beatd.daemon.campaign import Campaign
from beatd.daemon.copied_store import CopiedStore
from beatd.daemon.daemon_state import DaemonState
from beatd.daemon.dispatch_choice import DispatchChoice
from beatd.daemon.housekeeping import HistoryLimits, Housekeeping
from beatd.daemon.loop import Loop
from beatd.daemon.outcome_thread import OutcomeThread
from beatd.daemon.parts import Parts
from beatd.daemon.reload_note import note_reload
from beatd.daemon.startup import open_when_reachable
from beatd.edits.replan import mark_if_empty
from beatd.edits.request_arguments import with_arguments
from beatd.engine.election import Election
from beatd.engine.limits import Limits
from beatd.engine.may_lead import TICK_STALE_AFTER_S, may_lead
from beatd.engine.tick import Tick
from beatd.errors import StoreError
from beatd.leader import Holder

HOUSEKEEPING_STUCK_AFTER_S = 3600.0  # because a million new entries take long to write
OUTCOMES_STUCK_AFTER_S = 3600.0  # a broker may answer slowly, and the beat goes on without it
REPLAN_PAUSE_S = 0.05  # after each batch of rows, so that the ticks on the same core go on
#: How long the end waits for a thread that may wait for a server; 1 s for the others.
JOIN_TIMEOUTS_S = {"outcomes": 0.05, "alerts": 0.3, "heartbeat": 0.0, "monitors": 0.0}


class Daemon(DaemonState):
    """One scheduler daemon. `run` blocks until another thread calls `stop`."""

    def __init__(
        self,
        *,
        parts: Parts,
        me: Holder,
        clock: Clock,
        ttl: float = 2.0,
        history: HistoryLimits | None = None,
        limits: Limits | None = None,
        observers: tuple[events.Observer, ...] = (),
        started: events.Started | None = None,
    ) -> None:
        super().__init__(me=me, clock=clock)
        self._parts, self._ttl, self._limits = parts, ttl, limits or Limits()
        self._observers: tuple[events.Observer, ...] = (self.last_state, *observers)
        self._started = started
        self._wake, self._stop = threading.Event(), threading.Event()
        self.housekeeping = Housekeeping(
            name=me.name,
            declaring=parts.declaring,
            history=history or HistoryLimits(),
            clock=clock,
            nth_lead=self.nth_lead,
            rest=lambda: clock.wait(REPLAN_PAUSE_S, self._stop),
            wake=self.wake,
            counted=lambda entries: self._observe(events.EntriesCounted(entries)),
            emit=self._observe,
        )
        loop = partial(Loop, clock=clock, observer=self._observe)
        self._campaign_loop = loop(
            self._turn_campaign, name="campaign", stuck_after_s=TICK_STALE_AFTER_S + 4 * ttl
        )
        self._housekeeping_loop = loop(
            self._turn_housekeeping, name="housekeeping", stuck_after_s=HOUSEKEEPING_STUCK_AFTER_S
        )
        self.loops: tuple[Loop, ...] = (self._campaign_loop, self._housekeeping_loop)
        self._outcomes: OutcomeThread | None = None
        if parts.outcomes is not None:
            turn, stuck_after_s = self._turn_outcomes, OUTCOMES_STUCK_AFTER_S
            self.loops += (loop(turn, name="outcomes", stuck_after_s=stuck_after_s),)
        made = (make and make(self, self._observe) for make in (parts.alerts, parts.monitors))
        self._beside = [beside for beside in made if beside is not None]
        for beside in self._beside:
            self.loops += beside.loops
            self._observers += (beside.events,)
        self._campaign: Campaign | None = None
        self._dispatch_choice = DispatchChoice(parts.dispatch)
        self._closing = ExitStack()
        self._copied_store = CopiedStore(self.stop, parts.timezone)
        self.queue_of = parts.queue_of
        self.waits_for_unusable_store = False  # False: StoreUnusable is raised at the start
        self.before_wait: Callable[[float], None] = lambda seconds: None

    # for every thread

    def stop(self) -> None:
        """Make `run` return after the current batch. Any thread may call this."""
        self._stop.set()
        self._wake.set()
        for loop in self.loops:
            loop.stop()

    def wake(self) -> None:
        """Start the next scheduling pass now, because entries or requests changed.

        Any thread may call this.
        """
        if self.engine is not None:
            self.engine.noticed_change()
        self._wake.set()

    # the beat

    def run(self) -> None:
        """Connect to store, lock and broker, schedule until `stop` is called, then close them.

        Raise StoreUnusable if the store cannot be used and waiting would not help.
        """
        with self:
            self.turn_until_stopped()

    def turn_until_stopped(self) -> None:
        """Run scheduling passes until `stop` is called. The daemon must be open."""
        while not self._stop.is_set():
            self.turn()
        self._copied_store.raise_if_found()

    def __enter__(self) -> "Daemon":
        """Open the store, lock and publisher, and start the background threads.

        Blocks until all answer or `stop` is called. Raise StoreUnusable if waiting would not help.
        """
        if self._started is not None:
            self._observe(self._started)
        with ExitStack() as closing:
            opened = self._open(closing)
            self._closing.callback(self._observe, events.Stopped())
            if opened:
                for loop in self.loops:
                    loop.start()
                    closing.callback(loop.join, JOIN_TIMEOUTS_S.get(loop.name, 1.0))
                closing.callback(self._resign)
            self._closing.push(closing.pop_all())
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the daemon, give up the lead, and close the store, lock and publisher."""
        self.stop()
        self._closing.close()

    def turn(self) -> None:
        """Run one scheduling pass and wait for the next; `wake` and `stop` end the wait early."""
        if self.engine is None:
            return
        self._wake.clear()
        self.rests_until = 0.0
        until = self.engine.tick()
        if self._dispatch_choice.is_due and self.engine.store_outage.over:
            self._choose_dispatch()
        if not self._stop.is_set():
            self.before_wait((until - self.clock.now()).total_seconds())
            self.rests_until = self.clock.elapsed() + (until - self.clock.now()).total_seconds()
            self.clock.wait(self.rests_for(), self._wake)

    def _open(self, closing: ExitStack) -> bool:
        # False if `stop` was called before all parts answered.
        clock, observe = self.clock, self._observe
        open_part = partial(
            open_when_reachable,
            clock=clock,
            stop=self._stop,
            observer=observe,
            before_wait=self.before_wait,
            waits_for_unusable=self.waits_for_unusable_store,
        )
        store = open_part(partial(self._copied_store.opened, self._parts.store))
        if store is None:
            return False
        closing.callback(store.place.close)
        lease = open_part(self._parts.lease)
        if lease is None:
            return False
        closing.callback(lease.close)
        publisher = self._parts.publisher()
        closing.callback(publisher.close)
        self.dispatch = open_part(partial(self._parts.dispatch, store.claims, publisher))
        if self.dispatch is None:
            return False
        self.store, self.publisher = store, publisher
        with suppress(StoreError):  # without the mark, housekeeping looks through the rows later
            self.store_clock.set_from(store.terms)
            mark_if_empty(store.catalog, clock.now())
        self.election = Election(
            lease=lease,
            terms=store.terms,
            me=self.me,
            clock=clock,
            ttl=self._ttl,
            may_lead=self._may_lead,
            refuse=self._copied_store.refuse,
            emit=observe,
        )
        self.engine = Tick(
            store=store.ledger,
            runs=store.outcomes,
            claims=store.claims,
            publisher=publisher,
            dispatch=self.dispatch,
            election=self.election,
            clock=clock,
            emit=observe,
            limits=self._limits,
            notes_writes=True,
            set_clock=partial(self.store_clock.set_if_older, store.terms),
            unapplied=self.housekeeping.unapplied,
            with_arguments=with_arguments(store.catalog.marks),
        )
        closing.callback(self.engine.close)
        self._campaign = Campaign(
            election=self.election,
            terms=store.terms,
            presences=store.presences,
            store_outage=self.engine.store_outage,
            store_clock=self.store_clock,
            clock=clock,
            presence=self.presence,
            lead_changed=self._lead_changed,
        )
        if self._parts.outcomes is not None:
            self._outcomes = OutcomeThread(
                reader=self._parts.outcomes(store),
                store=store,
                clock=clock,
                nth_lead=self.nth_lead,
                wake=self.wake,
                rest=lambda seconds: clock.wait(seconds, self._stop),
                tell=observe,
                queue_of=self.queue_of,
            )
            closing.callback(self._outcomes.close)
        for beside in self._beside:
            closing.callback(beside.close)
        store.place.watch(self.wake)
        return True

    def _resign(self) -> None:
        assert self.election and self.store and self.dispatch
        self.dispatch.drop_prepared()  # first: the prepared batch may lock rows
        if self.reloads:
            note_reload(self)
        self.election.close()
        with suppress(StoreError):
            self.store.presences.leave(self.me)

    # the way of dispatch

    def _choose_dispatch(self) -> None:
        assert self.engine and self.dispatch and self.store and self.publisher
        claims, publisher = self.store.claims, self.publisher
        chosen = self._dispatch_choice.choose(self.dispatch, claims, publisher)
        if chosen is not None:
            self.dispatch = chosen
            self.engine.use(chosen)

    # the campaign, on its own thread

    def _turn_campaign(self) -> float:
        assert self._campaign is not None
        return self._campaign.turn()

    def _may_lead(self) -> bool:
        if self.engine is None or self._campaign is None:
            return False
        return may_lead(
            tick_age_s=self.tick_age(),
            broker_away_s=self.engine.broker_outage.lasts,
            others_reach_broker=self._campaign.others_reach_broker,
        )

    def _lead_changed(self) -> None:
        self._wake.set()
        for loop in self.loops[1:]:
            loop.wake()

    # housekeeping, on its own thread

    def _turn_housekeeping(self) -> float:
        assert self.store is not None
        return self.housekeeping.turn(self.store)

    def _turn_outcomes(self) -> float:
        assert self._outcomes is not None
        return self._outcomes.turn()

    def _observe(self, event: events.Event) -> None:
        if isinstance(event, events.Ticked):
            self.ticked_at = self.clock.elapsed()
        self._dispatch_choice.observe(event)
        for observer in self._observers:
            observer(event)
