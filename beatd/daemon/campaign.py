"""Try to become or remain the leader.

Each turn renews or requests the lease (the lock that makes one daemon the leader) and sets the
clock. Once a second, a turn also writes the daemon's presence record to the store.
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
    """Tries to become or remain the leader, on a thread of its own.

    A long batch on the main thread therefore does not delay the renewal of the lease (the leader's
    lock). `presence` returns the record about this daemon, which is written to the store.
    `lead_changed` is called when this daemon wins or loses the lead, and when a store that refused
    writes accepts them again.
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
        """Renew or request the lease, and return the seconds until the next turn.

        On an unexpected exception, this daemon gives up the lead, because it may no longer be the
        leader. The exception is then raised.
        """
        try:
            return self._turn()
        except Exception as error:
            self._election.step_down(f"the campaign broke: {error!r}")
            raise

    def _turn(self) -> float:
        """Set the clock, renew or request the lease, and return the seconds until the next turn.

        If it is time, also write the presence record. Without a clock from the store, do nothing
        else.
        """
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
        """Set the daemon's clock from the store's clock; an error of the store is ignored."""
        with suppress(StoreError):
            self._store_clock.set_from(self._terms)

    def _compare_term(self) -> None:
        """Pass the store's newest term (the fencing number of a leader) to the election.

        By this number, the election notices that a store has lost terms. An error is ignored.
        """
        with suppress(Exception):  # a term that cannot be read is not compared
            newest = self._terms.term()
            if newest is not None:
                self._election.saw(newest[0])

    def _announce(self) -> None:
        """Write this daemon's presence record, and note whether the store accepted the write.

        If this daemon cannot use the broker, also note whether another daemon can.
        """
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
