"""Background thread that finds alert conditions and sends messages about them.

Neither the scheduling nor the end of the daemon waits for this thread.
"""

import threading
from contextlib import suppress
from datetime import datetime

from msgspec.structs import replace

from beatd.alerts.incident_book import IncidentBook
from beatd.alerts.message import message_of
from beatd.alerts.watched import Watched
from beatd.daemon.alert_events import AlertEvents
from beatd.daemon.alert_news import AlertNews
from beatd.daemon.alert_round import AlertRound
from beatd.daemon.alert_sender import AlertSender
from beatd.daemon.alerting import Alerting
from beatd.daemon.daemon_state import DaemonState
from beatd.daemon.heartbeat import Heartbeat
from beatd.daemon.loop import NEVER_STUCK_S, Loop
from beatd.errors import StoreError
from beatd.events import IncidentsCounted, IncidentsOpened, Observer
from beatd.incident import Incident, IncidentKind
from beatd.store import Roles

LONGEST_PAUSE_S, SHORTEST_PAUSE_S = 1.0, 0.05  # between two turns
REST_S = 0.02  # after each few hundred rows that are read from the catalog

#: A daemon that does not lead sends messages about these kinds only; the leader sends the rest.
NEWS_OF_STANDBY: frozenset[IncidentKind] = frozenset({"nobody leads"})


class AlertThread:
    """Watches for problems to alert people about, in a background thread of the daemon.

    The leader checks the entries; a standby checks only whether any daemon leads.
    """

    def __init__(
        self, alerting: Alerting, watched: Watched, *, state: DaemonState, observer: Observer
    ) -> None:
        self._alerting, self._state, self._observe = alerting, state, observer
        self._watched = watched
        self._clock = state.clock
        self.events = AlertEvents(state.clock)
        self._sender = AlertSender(alerting.channels, clock=state.clock, observer=observer)
        self._news = AlertNews(alerting, self._sender)
        self._round: AlertRound | None = None
        self._nth_lead = 0
        self._leaderless_since: datetime | None = None
        self._store_away: Incident | None = None  # not written yet
        self._closed = threading.Event()
        self._turning = threading.Lock()
        wait_s = alerting.wait.total_seconds()
        self._pause_s = max(SHORTEST_PAUSE_S, min(LONGEST_PAUSE_S, wait_s / 10))
        loop = Loop(
            self.turn,
            name="alerts",
            stuck_after_s=NEVER_STUCK_S,
            clock=state.clock,
            observer=observer,
        )
        self.loops: tuple[Loop, ...] = (loop,)
        if alerting.ping is not None:
            self.loops += (Heartbeat(alerting.ping, state=state, observer=observer).loop,)

    def close(self) -> None:
        """Stop sending messages, without waiting for the sending threads.

        Also record in the store which messages were sent, unless a turn is running now.
        """
        self._closed.set()
        self._sender.stop()
        if self._round is not None and self._turning.acquire(blocking=False):
            with suppress(StoreError):
                self._round.finish(self._clock.now())

    def turn(self) -> float:
        """Check once for problems to alert people about; return the seconds until the next."""
        with self._turning:
            self._turn()
        return self._pause_s

    def _turn(self) -> None:
        store = self._state.store
        if store is not None:
            now = self._clock.now()
            self._watch_store(now)
            with suppress(StoreError):  # it is reported as an incident of its own
                self._write_store_away(store, now)
                nth_lead = self._state.nth_lead()
                if nth_lead:
                    self._lead(nth_lead, store, now)
                else:
                    self._stand_by(store, now)

    def _lead(self, nth_lead: int, store: Roles, now: datetime) -> None:
        self._leaderless_since = None
        if self._round is None or nth_lead != self._nth_lead:
            self._round, self._nth_lead = None, nth_lead
            self._round = AlertRound(
                state=self._state,
                store=store,
                watched=self._watched,
                rest=self._rest,
                events=self.events,
                news=self._news,
                wait=self._alerting.wait,
                observer=self._observe,
                now=now,
            )
        self._round.turn(now)

    def _stand_by(self, store: Roles, now: datetime) -> None:
        # Only the store shows whether a daemon leads, so nothing is done during an outage of the
        # store.
        if self.events.store_away_since is not None:
            return
        if self._round is not None:
            self._round, self._nth_lead = None, 0
            self.events.forget()
            self._observe(IncidentsCounted({}))
        trouble = self._without_leader(store)
        if not trouble:
            self._leaderless_since = None
            return
        if self._leaderless_since is None:
            self._leaderless_since = now
        if now - self._leaderless_since < self._alerting.wait:
            return
        book = IncidentBook(store.incidents)
        book.load(now)
        if "nobody leads" not in book.opened(""):
            since = self._leaderless_since
            new = Incident(kind="nobody leads", name="", opened=since, observed=trouble)
            written = book.open([new], now)
            if written:
                self._observe(IncidentsOpened(written))
        self._news.turn(book, now, kinds=NEWS_OF_STANDBY)

    def _without_leader(self, store: Roles) -> str:
        overdue = self._state.last_state.overdue
        if overdue:
            return f"the leader is silent: {overdue}"
        if any(one.role == "leader" for one in store.presences.daemons()):
            return ""
        trouble = self._state.lock_trouble()
        return f"the lock cannot be used: {trouble}" if trouble else "no daemon leads"

    def _watch_store(self, now: datetime) -> None:
        # Only the daemon that led when the outage began reports it.
        since = self.events.store_away_since
        if since is None:
            return
        if self._store_away is None and self._round is not None:
            text = self.events.store_trouble
            self._store_away = Incident(kind="store away", name="", opened=since, observed=text)
            self._observe(IncidentsOpened([self._store_away]))
        one = self._store_away
        if one is not None and one.announced is None and now - since >= self._alerting.wait:
            # Without a lease on the incident: the store cannot be written.
            self._sender.post(message_of("opened", [one], now))
            self._store_away = replace(one, announced=now)

    def _write_store_away(self, store: Roles, now: datetime) -> None:
        if self._store_away is None or self.events.store_away_since is not None:
            return
        book = IncidentBook(store.incidents)
        book.load(now)
        book.add_past(self._store_away, now, "it can be used")
        self._store_away = None
        self._round = None  # its book does not have the incident; it settles as after a new lead

    def _rest(self) -> bool:
        self._clock.wait(REST_S, self._closed)
        return not self._closed.is_set()
