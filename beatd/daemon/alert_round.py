"""Detect problems of entries and of the daemon, and keep them as incidents in the store."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice

from beatd.alerts.incident_book import IncidentBook
from beatd.alerts.judge import Facts, Finding, Situation, closing_all, judge
from beatd.alerts.judge_whole import WholeFacts, judge_whole
from beatd.alerts.starts import Starts
from beatd.alerts.watched import Watched
from beatd.catalog import Query
from beatd.clock import Clock
from beatd.daemon.alert_events import AlertEvents
from beatd.daemon.alert_news import AlertNews
from beatd.daemon.daemon_state import DaemonState
from beatd.edits.unknown_entry import unreadable
from beatd.events import IncidentsClosed, IncidentsCounted, IncidentsOpened, Observer
from beatd.incident import Incident, IncidentKind
from beatd.store import Roles
from beatd.trace import trace_id

SWEEP_NAMES = 500  # entries that are judged in each turn, whether something happened or not
CHANGED_NAMES = 500  # further ones, about which something is new
NOTED_EVERY_S = 60.0
LOOKED_EVERY_S = 5.0  # for incidents that a standby or an earlier leader has written
LOOKED_SLOWER_BY_S = 0.001  # for each open incident, as a look reads them all
KEPT_FOR = timedelta(days=90)  # after an incident was closed
NOT_LED_MIN = timedelta(seconds=120)  # a gap between two leaders that is longer is an outage


class AlertRound:
    """Opens and closes incidents, the detected problems of entries, while this daemon leads.

    The constructor reads earlier incidents, and writes one for a past time without a leader. `rest`
    is called during long reads; it returns False when the daemon ends.
    """

    def __init__(
        self,
        *,
        state: DaemonState,
        store: Roles,
        watched: Watched,
        rest: Callable[[], bool],
        events: AlertEvents,
        news: AlertNews,
        wait: timedelta,
        observer: Observer,
        now: datetime,
    ) -> None:
        self._state, self._store, self._watched, self._events = state, store, watched, events
        self._rest = rest
        self._news, self._wait, self._observe = news, wait, observer
        self._clock: Clock = state.clock
        self._led_since = now
        self._book = IncidentBook(store.incidents)
        self._book.load(now)
        self._looked_at = self._clock.elapsed()
        self._opened: list[Incident] = []  # in this turn
        self._closed: list[Incident] = []
        self._counts: dict[IncidentKind, int] = {}
        self._unreadable: set[str] = set()  # names of unwatched entries
        self._conflicts_since: datetime | None = None
        self._sweep: list[str] = []
        self._waiting: dict[str, None] = {}  # names to judge, in the order in which they came
        self._noted, self._noted_at = "", float("-inf")
        note = store.catalog.marks.alerts()
        self._starts = Starts(note[1] if note is not None else "")
        if note is not None and now - note[0] > max(NOT_LED_MIN, 2 * wait):
            self._note_gap(note[0], now)
        watched.forget()

    def turn(self, now: datetime) -> None:
        """Check some entries, open and close their incidents, and send the messages that are due.

        Emits events for opened incidents, closed incidents and a new count. Raises StoreError while
        the store cannot be used.
        """
        if self._book.is_stale:
            self._book.reload()
        self._look_for_others(now)
        if self._watched.refresh(self._store.catalog, self._rest):
            entries = self._watched.entries
            known = {*self._book.names(), *self._starts.names()}
            unwatched = [name for name in known if name not in entries]
            self._unreadable = unreadable(self._store.catalog, unwatched) if unwatched else set()
            paused = {name: one.paused for name, one in entries.items()}
            self._starts.see(paused, now, self._unreadable)
            self._close_unwatched(now)
        self._judge_whole(now)
        self._judge_entries(self._names(), now)
        self._report()
        self._note(now)
        self._news.turn(self._book, now)

    def finish(self, now: datetime) -> None:
        """Record in the store which messages were sent, before the daemon ends."""
        self._news.finish(self._book, now)

    def _look_for_others(self, now: datetime) -> None:
        elapsed, count = self._clock.elapsed(), sum(self._counts.values())
        if elapsed - self._looked_at < LOOKED_EVERY_S + LOOKED_SLOWER_BY_S * count:
            return
        self._book.look_for_others(now)
        self._looked_at = elapsed
        if any(self._is_no_longer_judged(name) for name in self._book.names()):
            # An earlier leader opened it after this one had read the entries. Read them again
            # before it is closed: the entry may be new.
            self._watched.forget()

    def _note_gap(self, since: datetime, now: datetime) -> None:
        gap = Incident(kind="nobody leads", name="", opened=since, observed="no daemon led")
        self._book.add_past(gap, now)

    def _names(self) -> list[str]:
        # The result has up to CHANGED_NAMES changed entries, and the next SWEEP_NAMES of all
        # entries.
        if not self._sweep:
            self._sweep = list(self._watched.entries)
        part, self._sweep = self._sweep[:SWEEP_NAMES], self._sweep[SWEEP_NAMES:]
        watched = self._watched.entries
        self._waiting |= {name: None for name in self._events.pop_changed() if name in watched}
        soon = list(islice(self._waiting, CHANGED_NAMES))
        for name in soon:
            del self._waiting[name]
        return [
            name
            for name in dict.fromkeys([*soon, *part])
            if name in watched and not watched[name].paused
        ]

    def _judge_entries(self, names: Sequence[str], now: datetime) -> None:
        if not names:
            return
        situation = Situation(
            now=now,
            outages=self._book.outages(),
            margin=self._wait,
            led_since=self._led_since,
            settling=now - self._led_since < self._wait,
        )
        outcomes = self._store.outcomes.entry_outcomes(names)
        found: dict[str, list[Finding]] = {}
        for name in names:
            start, outcome = self._starts.get(name), outcomes.get(name)
            if start is None:
                continue
            if outcome is not None and outcome.last_success is not None:
                self._starts.succeeded(name, outcome.last_success)
            facts = Facts(
                name=name,
                alert=self._watched.entries[name].alert,
                since=start.at,
                resumed=start.at if start.is_resume else None,
                outcome=outcome,
                publishing=self._events.publishing(name),
            )
            found[name] = judge(facts, self._book.opened(name), situation)
            if situation.settling and name not in self._waiting:
                self._waiting[name] = None  # what may not open yet is judged again

        missing = [
            name
            for name, some in found.items()
            if any(one.kind == "missing" and one.opens for one in some)
        ]
        finished = self._finished(missing) if missing else ()
        self._apply(
            [
                (name, one)
                for name, some in found.items()
                for one in some
                if one.kind != "missing" or name not in finished
            ],
            now,
        )

    def _judge_whole(self, now: datetime) -> None:
        conflicts = self._state.conflicts
        if not conflicts:
            self._conflicts_since = None
        elif self._conflicts_since is None:
            self._conflicts_since = now
        # A source has a conflict for a moment while it is applied.
        lasted = now - (self._conflicts_since or now) >= self._wait
        facts = WholeFacts(
            broker_trouble=self._state.broker_trouble() or self._events.broker_trouble,
            broker_away_since=self._events.broker_away_since,
            outcomes_trouble=self._events.outcomes_trouble,
            outcomes_away_since=self._events.outcomes_away_since,
            conflicts=conflicts if lasted or "invalid source" in self._book.opened("") else (),
        )
        found = judge_whole(facts, self._book.opened(""))
        found += [
            Finding("store went back", True, reason) for reason in self._events.pop_went_back()
        ]
        self._apply([("", finding) for finding in found], now)
        moment = self._book.opened("").get("store went back")
        if moment is not None:
            self._book.close([(moment, "")], now)

    def _apply(self, found: Iterable[tuple[str, Finding]], now: datetime) -> None:
        # The names in `found` are those of entries, or "" for the daemon as a whole.
        new, ends = [], []
        for name, finding in found:
            opened = self._book.opened(name).get(finding.kind)
            if finding.opens:
                new.append(self._incident(name, finding, now))
            elif opened is not None:
                ends.append((opened, finding.observed))
        self._closed += self._book.close(ends, now)
        self._opened += self._book.open(new, now)

    def _incident(self, name: str, finding: Finding, now: datetime) -> Incident:
        since, watched = finding.since, self._watched.entries.get(name)
        traced = finding.task_id and watched is not None and watched.trace
        return Incident(
            kind=finding.kind,
            name=name,
            opened=max(since, self._led_since) if since is not None else now,
            observed=finding.observed,
            threshold=finding.threshold,
            cause=finding.cause,
            trace=trace_id(finding.task_id) if traced else "",
        )

    def _finished(self, names: Sequence[str]) -> set[str]:
        rows = self._store.catalog.find(Query(names=tuple(names)))
        return set(names) - {row.entry.name for row in rows if row.plan.planned is not None}

    def _close_unwatched(self, now: datetime) -> None:
        found: list[tuple[str, Finding]] = []
        for name in self._book.names():
            if self._is_no_longer_judged(name):
                found += [(name, one) for one in closing_all(self._book.opened(name))]
        self._apply(found, now)

    def _is_no_longer_judged(self, name: str) -> bool:
        # A leader that can read an unreadable entry judges it again.
        watched = self._watched.entries.get(name)
        return name not in self._unreadable if watched is None else watched.paused

    def _report(self) -> None:
        opened, self._opened = self._opened, []
        closed, self._closed = self._closed, []
        if opened:
            self._observe(IncidentsOpened(opened))
        if closed:
            self._observe(IncidentsClosed(closed))
        counts = self._book.counts()
        if counts != self._counts:
            self._counts = counts
            self._observe(IncidentsCounted({str(kind): count for kind, count in counts.items()}))

    def _note(self, now: datetime) -> None:
        # The next leader reads since when each entry is watched.
        text, elapsed = self._starts.text(), self._clock.elapsed()
        if text != self._noted or elapsed - self._noted_at >= NOTED_EVERY_S:
            self._store.catalog.marks.write_alerts(text, now)
            self._noted, self._noted_at = text, elapsed
            self._store.incidents.forget_incidents(now - KEPT_FOR)
