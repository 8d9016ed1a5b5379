"""A candidate for the lead: it campaigns, keeps its clock with the store, and says what it is."""

from collections.abc import Callable
from contextlib import suppress

from beatd.clock import Clock
from beatd.daemon.store_clock import Steering
from beatd.engine.election import Election
from beatd.engine.store_outage import StoreOutage
from beatd.errors import StoreError
from beatd.ledger import Terms
from beatd.presence import Presence, Presences

ANNOUNCED_EVERY = 1.0
TURNS_AT_LEAST_EVERY_S = 0.5  # by a leader: so old its clock's setting may become


class Candidate:
    """Takes its turns on a thread of its own: a long batch must not cost the lease."""

    def __init__(
        self,
        *,
        election: Election,
        terms: Terms,
        presences: Presences,
        store_outage: StoreOutage,
        steering: Steering,
        clock: Clock,
        presence: Callable[[], Presence],
        changed: Callable[[], None],
    ) -> None:
        self._election, self._terms, self._store_outage = election, terms, store_outage
        self._presences = presences
        self._steering = steering
        self._clock, self._presence, self._changed = clock, presence, changed
        self._announced_at = float("-inf")
        self.others_reach_broker = False  # while this one does not

    def turn(self) -> float:
        """Seconds until the next one is worth its round trip."""
        try:
            return self._turn()
        except Exception as error:
            # We do not know what we are any more, so another should lead.
            self._election.step_down(f"the campaign broke: {error!r}")
            raise

    def _turn(self) -> float:
        # Before the first campaign: a leader must not lead by a wrong clock for one tick.
        if not self._steering.sure:
            self._set_clock()
        if not self._steering.sure:
            return self._election.pause()
        led = self._leads()
        self._election.campaign()
        leads = self._leads()
        if leads != led:
            self._changed()
        # What is in doubt is tried at each turn, so that a store that is back is noticed at once.
        proven = self._store_outage.is_proven
        announces = leads != led or not proven or self._is_time_to_announce()
        if leads or announces:
            # Not at each turn of a standby, which asks for the lease ten times a second.
            self._set_clock()
        if announces:
            self._announced_at = self._clock.elapsed()
            self._look_at_term()
            self._announce()
            if self._store_outage.is_proven and not proven:
                self._changed()
        return min(self._election.pause(), TURNS_AT_LEAST_EVERY_S)

    def _is_time_to_announce(self) -> bool:
        return self._clock.elapsed() - self._announced_at >= ANNOUNCED_EVERY

    def _leads(self) -> bool:
        return self._election.lead() is not None

    def _set_clock(self) -> None:
        with suppress(StoreError):
            self._steering.by(self._terms)

    def _look_at_term(self) -> None:
        with suppress(Exception):  # one that cannot be read is not compared
            newest = self._terms.term()
            if newest is not None:
                self._election.saw(newest[0])

    def _announce(self) -> None:
        mine = self._presence()
        try:
            self._presences.announce(mine, max(5.0, self._election.ttl * 2))
        except StoreError as trouble:
            self._store_outage.refused(str(trouble))
            return
        self._store_outage.succeeded()
        with suppress(StoreError):
            if not mine.broker_ok:
                self.others_reach_broker = any(
                    other.broker_ok
                    for other in self._presences.daemons()
                    if other.holder.token != mine.holder.token
                )
