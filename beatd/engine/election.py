"""Campaigning: from a lease to a term, and how long to trust in it.

    standby ──lease won──> ask the ledger for a term ──> leading ──renewed──┐
       ^                                                   │  ^──────────────┘
       └── lease lost, any error, trust run out, deposed ──┘

Trust ends at *request start* + ttl - margin, on a clock that runs during suspend: the lease may
have been granted at any moment after we asked, never before. Losing the lead is an ordinary event;
a daemon never ends because of it.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

from msgspec.structs import replace

from beatd.clock import Clock
from beatd.engine.outage import Outage
from beatd.engine.terms_seen import TermsSeen
from beatd.errors import BeatError, StoreEmptied
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
    """Who may lead, on any lease; `campaign` may be called from one thread, all else from any."""

    def __init__(
        self,
        *,
        lease: Lease,
        terms: Terms,
        me: Holder,
        clock: Clock,
        ttl: float = 2.0,
        may_lead: Callable[[], bool] = lambda: True,
        tell: Observer = nobody,
    ) -> None:
        self._lease, self._terms, self._me = lease, terms, me
        self._clock, self._ttl, self._may_lead, self._tell = clock, ttl, may_lead, tell
        self._lock = Outage(LockAway, LockBack, clock=clock, tell=tell)
        self._doubted_at: float | None = None  # the first of an unbroken row of failures
        self._lead: Lead | None = None
        self._holder: Holder | None = None
        self._barred_until = float("-inf")
        self._terms_seen = TermsSeen(tell)
        self._given_up = 0  # how often; a campaign that it happened to wins nothing
        self._guard = threading.Lock()
        # Giving the lease up waits for a campaign under way, which would else take it again.
        self._campaigning = threading.RLock()
        self._over = False

    @property
    def ttl(self) -> float:
        return self._ttl

    def lead(self) -> Lead | None:
        """The lead while it can be trusted; None from the moment its trust has run out."""
        lead = self._lead
        return lead if lead is not None and self._clock.elapsed() < lead.until else None

    def margin(self) -> float:
        """Seconds of trust left; nothing on a standby."""
        lead = self._lead
        return max(0.0, lead.until - self._clock.elapsed()) if lead is not None else 0.0

    def holder(self) -> Holder | None:
        return self._holder

    @property
    def lock_trouble(self) -> str:
        """Why the lock cannot be used, without a password; nothing while it can."""
        return self._lock.reason

    def saw(self, term: Term) -> None:
        """The ledger's newest term, whoever's it is."""
        self._terms_seen.saw(term)

    def emptied(self, reason: str) -> None:
        """The store lost all, its terms as well."""
        self._terms_seen.forget()
        self._tell(WentBack(reason))

    def pause(self) -> float:
        """Seconds until the next campaign is worth its round trip."""
        return self._ttl / 4 if self.lead() else min(0.1, self._ttl / 8)

    def campaign(self) -> Lead | None:
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
                # Whoever gave it up waits for us to release the lease: a term of ours would only
                # depose the one who rightly leads.
                return None
            lead = self.lead()
            if lead is None:
                # Another may have led since: a term is good only for an unbroken trust.
                self._lose("the lease was not renewed in time")
                if self._clock.elapsed() >= asked_at + self._ttl - self._margin:
                    # By now it may be another's, and a term of ours would only depose that one.
                    return None
            term = lead.term if lead is not None else self._begin()
        except BeatError as doubt:
            if isinstance(doubt, StoreEmptied):
                self.emptied(str(doubt))
            # We cannot know whether the lease is still ours, so it is not. The trust already given
            # is left to run out by itself: within it nobody else can have won.
            if not self.lead():
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
        """The ledger's newest holder leads since now, whenever its process was started."""
        return self._terms.begin(replace(self._me, since=self._clock.now()))

    @property
    def _margin(self) -> float:
        return self._ttl / 8

    def _win(self, term: Term, until: float, given_up: int) -> Lead | None:
        with self._guard:
            if self._given_up != given_up:
                return None
            fresh = self._lead is None
            won = self._lead = Lead(term, until)
        if fresh:
            self._terms_seen.saw(term)
            self._tell(LeadWon(term))
        return won

    def _lose(self, reason: str) -> None:
        with self._guard:
            had, self._lead = self._lead, None
        if had is not None:
            self._tell(LeadLost(reason, self._holder))

    def _see(self, holder: Holder) -> None:
        before, self._holder = self._holder, holder
        if holder.token != self._me.token and (before is None or before.token != holder.token):
            self._tell(LeaderSeen(holder))

    def deposed(self, reason: str) -> None:
        """The ledger refused our term: step down, and stay out for one ttl."""
        self.step_down(reason)

    def step_down(self, reason: str) -> None:
        """Give the lease up and do not ask for it again for one ttl; never raises."""
        self._barred_until = self._clock.elapsed() + self._ttl
        self._give_up(reason)

    def resign(self) -> None:
        self._give_up(RESIGNED)

    def _give_up(self, reason: str) -> None:
        with self._guard:
            self._given_up += 1
        self._lose(reason)
        with self._campaigning:
            self._lose(reason)
            self._release()

    def close(self) -> None:
        """Resign for good: no campaign after this one wins anything."""
        self._over = True
        self.resign()

    def _release(self) -> None:
        with suppress(Exception):  # It runs out by itself after one ttl.
            self._lease.release(self._me)
