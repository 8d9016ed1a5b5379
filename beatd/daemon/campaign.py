"""Background job by which a daemon becomes the leader and remains it.

Each turn renews or requests the leader's lock and sets the clock from the store's clock. About once
a second, a turn also writes the daemon's own status record to the store.
"""

from collections.abc import Callable
from contextlib import suppress

from beatd.clock import Clock
from beatd.daemon.store_clock import StoreClock
from beatd.engine.election import Election
from beatd.engine.store_outage import StoreOutage
from beatd.errors import StoreError
from beatd.ledger import Terms
from beatd.presence import Presence, Presences

ANNOUNCE_EVERY_S = 1.0
ANNOUNCED_FOR_AT_LEAST_S = 5.0
LONGEST_PAUSE_S = 0.5  # between two turns, so that a leader's clock is set often enough


class Campaign:
    """Keeps or requests the leader's lock for one daemon, in a background thread.

    `presence` returns the status record of this daemon, to be written to the store. `lead_changed`
    is called when this daemon wins or loses the lead, and when a store that refused writes accepts
    them again.
    """

    def __init__(
        self,
        *,
        election: Election,
        terms: Terms,
        presences: Presences,
        store_outage: StoreOutage,
        store_clock: StoreClock,
        clock: Clock,
        presence: Callable[[], Presence],
        lead_changed: Callable[[], None],
    ) -> None:
        self._election, self._terms, self._store_outage = election, terms, store_outage
        self._presences = presences
        self._store_clock = store_clock
        self._clock, self._presence, self._lead_changed = clock, presence, lead_changed
        self._announced_at = float("-inf")
        self.others_reach_broker = False  # valid only while this daemon does not reach it

    def turn(self) -> float:
        """Renew or request the leader's lock, and return the seconds until the next turn.

        On an unexpected exception, give up the lead and raise the exception.
        """
        try:
            return self._turn()
        except Exception as error:
            self._election.step_down(f"the campaign broke: {error!r}")
            raise

    def _turn(self) -> float:
        # As long as the store's clock was never read, a turn only tries to read it.
        # Before the first campaign: a leader must not lead by a wrong clock for one tick.
        if not self._store_clock.is_set:
            self._set_clock()
        if not self._store_clock.is_set:
            return self._election.pause()
        led = self._leads()
        self._election.campaign()
        leads = self._leads()
        if leads != led:
            self._lead_changed()
        # A store that refused the last write is tried at each turn, to notice at once that it is
        # back.
        proven = self._store_outage.is_proven
        announces = leads != led or not proven or self._is_time_to_announce()
        if leads or announces:
            # Not at each turn of a standby, which tries to get the lease ten times a second.
            self._set_clock()
        if announces:
            self._announced_at = self._clock.elapsed()
            self._compare_term()
            self._announce()
            if self._store_outage.is_proven and not proven:
                self._lead_changed()
        return min(self._election.pause(), LONGEST_PAUSE_S)

    def _is_time_to_announce(self) -> bool:
        return self._clock.elapsed() - self._announced_at >= ANNOUNCE_EVERY_S

    def _leads(self) -> bool:
        return self._election.lead() is not None

    def _set_clock(self) -> None:
        with suppress(StoreError):
            self._store_clock.set_from(self._terms)

    def _compare_term(self) -> None:
        # A lower number than before shows that the store lost data. Errors are ignored.
        with suppress(Exception):  # a term that cannot be read is not compared
            newest = self._terms.term()
            if newest is not None:
                self._election.saw(newest[0])

    def _announce(self) -> None:
        # If this daemon cannot use the broker, this also notes whether another daemon can.
        mine = self._presence()
        try:
            self._presences.announce(mine, max(ANNOUNCED_FOR_AT_LEAST_S, self._election.ttl * 2))
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
