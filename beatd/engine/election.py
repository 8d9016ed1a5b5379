"""Compete with other daemons to be the leader, and know how long this daemon leads.

    standby ──lease won──> ask the ledger for a term ──> leading ──renewed──┐
       ^                                                   │  ^──────────────┘
       └── lease lost, any error, time ran out, deposed ───┘

The lease is a lock that lasts for a ttl; a term is a fencing number. A daemon may rely on its lead
until the *start of the request* + ttl - margin, on a clock that counts during suspend: the lease
may have been granted at any moment after the request was sent, never before.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

from msgspec.structs import replace

from beatd.clock import Clock
from beatd.engine.outage import Outage
from beatd.engine.terms_seen import TermsSeen
from beatd.errors import BeatError, ProgramTooOld, StoreEmptied
from beatd.events import (
    RESIGNED,
    LeaderSeen,
    LeadLost,
    LeadWon,
    LockAway,
    LockBack,
    Observer,
    WentBack,
    nobody,
)
from beatd.leader import Holder, Lead, Lease, Term
from beatd.ledger import Terms


class Election:
    """Competes with other daemons to be the leader, and knows whether this daemon leads.

    The leader holds a lock, and has a number (its term) that grows with each new leader. Only one
    thread may call `campaign`; any thread may call the other methods. `may_lead` returns False
    while this daemon must not lead. `refuse` raises BeatError if no daemon may begin to lead.
    """

    def __init__(
        self,
        *,
        lease: Lease,
        terms: Terms,
        me: Holder,
        clock: Clock,
        ttl: float = 2.0,
        may_lead: Callable[[], bool] = lambda: True,
        refuse: Callable[[], None] = lambda: None,
        emit: Observer = nobody,
    ) -> None:
        self._lease, self._terms, self._me = lease, terms, me
        self._clock, self._ttl, self._may_lead, self._emit = clock, ttl, may_lead, emit
        self._refuse = refuse
        self._lock = Outage(LockAway, LockBack, clock=clock, emit=emit)
        self._doubted_at: float | None = None  # when the lock began to fail; None after a success
        self._lead: Lead | None = None
        self._holder: Holder | None = None
        self._barred_until = float("-inf")
        self._terms_seen = TermsSeen(emit)
        self._led = 0  # how many leads were won
        self._given_up = 0  # how often the lease was given up; a campaign meanwhile wins nothing
        self._guard = threading.Lock()
        # Giving the lease up waits for a campaign under way, which would else take it again.
        self._campaigning = threading.RLock()
        self._over = False

    @property
    def ttl(self) -> float:
        """The seconds for which the leader's lock is valid after each renewal."""
        return self._ttl

    def lead(self) -> Lead | None:
        """Return this daemon's right to lead, or None if it does not lead now."""
        lead = self._lead
        return lead if lead is not None and self._clock.elapsed() < lead.until else None

    def trusts(self, term: Term) -> bool:
        """Return True if this daemon leads now and `term` is the number of its lead."""
        lead = self.lead()
        return lead is not None and lead.term == term

    def margin(self) -> float:
        """Return the seconds until this daemon's lead ends unless it is renewed; 0 without it."""
        lead = self._lead
        return max(0.0, lead.until - self._clock.elapsed()) if lead is not None else 0.0

    def holder(self) -> Holder | None:
        """Return the daemon that held the leader's lock at the last look, or None before that."""
        return self._holder

    @property
    def lock_trouble(self) -> str:
        """The reason why the leader's lock cannot be used, without passwords, or an empty text."""
        return self._lock.reason

    def saw(self, term: Term) -> None:
        """Emit the event `WentBack` if `term`, the newest one in the store, shows a loss of data.

        Each new leader gets a higher number, so a number that does not grow shows a loss. A leader
        whose own term was lost stops leading, because all its claims would be refused; its next
        campaign begins a new term.
        """
        self._terms_seen.saw(term)
        lead = self._lead
        if lead is not None and term.number < lead.term.number:
            self._lose(f"the store forgot term {lead.term.number}")

    def emptied(self, reason: str) -> None:
        """Emit the event `WentBack`, because the store lost all its data.

        The numbers of earlier leaders are forgotten, so that the loss is reported only once.
        """
        self._terms_seen.forget()
        self._emit(WentBack(reason))

    def pause(self) -> float:
        """Return the seconds to wait before this daemon next tries to get or keep the lead."""
        return self._ttl / 4 if self.lead() else min(0.1, self._ttl / 8)

    def campaign(self) -> Lead | None:
        """Try once to become or remain the leader; return the lead, or None on failure.

        A change emits `LeadWon` or `LeadLost`. An error of the lock or the store is not raised: an
        existing lead lasts until its time is over.
        """
        with self._campaigning:
            return None if self._over else self._campaign()

    def _campaign(self) -> Lead | None:
        given_up, asked_at = self._given_up, self._clock.elapsed()
        if asked_at < self._barred_until:
            return None
        if not self._may_lead():
            # A leader that cannot work must not keep others from it.
            self.step_down("cannot work here: the last tick is old or the broker is away")
            return None
        try:
            holder = self._take()
            self._see(holder)
            if holder.token != self._me.token:
                self._lose(f"{holder.name} holds the lease")
                return None
            if self._given_up != given_up:
                # Another thread gave the lease up and waits to release it: a term begun now would
                # only depose the next leader.
                return None
            lead = self.lead()
            if lead is None:
                # Another may have led since: a term is good only for an unbroken trust.
                self._lose("the lease was not renewed in time")
                if self._clock.elapsed() >= asked_at + self._ttl - self._margin:
                    # Another daemon may have the lease by now; a new term would only depose it.
                    return None
            term = lead.term if lead is not None else self._begin()
        except BeatError as doubt:
            if isinstance(doubt, StoreEmptied):
                self.emptied(str(doubt))
            # We cannot know whether the lease is still ours, so it is not. The trust already given
            # is left to run out by itself: within it nobody else can have won.
            if isinstance(doubt, ProgramTooOld):
                # The lease would be renewed for ever, and no newer daemon could lead.
                self.step_down(str(doubt))
            elif not self.lead():
                self._lose(str(doubt))
            return self.lead()
        return self._win(term, asked_at + self._ttl - self._margin, given_up)

    def _take(self) -> Holder:
        try:
            holder = self._lease.take(self._me, self._ttl)
        except BeatError as trouble:
            # One failure is no outage: a file that was just replaced, a connection that was idle.
            if self._doubted_at is None:
                self._doubted_at = self._clock.elapsed()
            else:
                self._lock.begin(str(trouble), since=self._doubted_at)
            raise
        self._doubted_at = None
        self._lock.end()
        return holder

    def _begin(self) -> Term:
        self._refuse()
        term = self._terms.begin(replace(self._me, since=self._clock.now()))
        self._refuse()  # a copy of the store that did not see this term has left its note by now
        return term

    @property
    def _margin(self) -> float:
        # This daemon stops relying on the lease so many seconds before the lease ends.
        return self._ttl / 8

    def _win(self, term: Term, until: float, given_up: int) -> Lead | None:
        with self._guard:
            # Another thread gave the lease up since this campaign began.
            if self._given_up != given_up:
                return None
            fresh = self._lead is None
            self._led += fresh
            won = self._lead = Lead(term, until, nth=self._led)
        if fresh:
            self._terms_seen.saw(term)
            self._emit(LeadWon(term))
        return won

    def _lose(self, reason: str) -> None:
        with self._guard:
            had, self._lead = self._lead, None
        if had is not None:
            self._emit(LeadLost(reason, self._holder))

    def _see(self, holder: Holder) -> None:
        before, self._holder = self._holder, holder
        if holder.token != self._me.token and (before is None or before.token != holder.token):
            self._emit(LeaderSeen(holder))

    def deposed(self, reason: str) -> None:
        """Stop leading for at least `ttl` seconds, because the store refused its writes."""
        self.step_down(reason)

    def step_down(self, reason: str) -> None:
        """Stop leading, free the lock, and do not compete again for `ttl` seconds; never raise."""
        self._barred_until = self._clock.elapsed() + self._ttl
        self._give_up(reason)

    def resign(self) -> None:
        """Stop leading and free the lock; the next campaign may win again."""
        self._give_up(RESIGNED)

    def _give_up(self, reason: str) -> None:
        with self._guard:
            self._given_up += 1
        self._lose(reason)
        # A campaign under way could get the lease again, so it ends first.
        with self._campaigning:
            self._lose(reason)
            self._release()

    def close(self) -> None:
        """Stop leading for good, and make every later call of `campaign` return None."""
        self._over = True
        self.resign()

    def _release(self) -> None:
        with suppress(Exception):  # It runs out by itself after one ttl.
            self._lease.release(self._me)
