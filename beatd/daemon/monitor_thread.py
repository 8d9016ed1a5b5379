"""Background thread that reports runs to external monitors, such as Sentry or healthchecks.io.

No other thread waits for this one.
"""

import logging
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from beatd import events
from beatd.alerts.channel import NotDelivered
from beatd.catalog import Query
from beatd.daemon.daemon_state import DaemonState
from beatd.daemon.loop import NEVER_STUCK_S, Loop
from beatd.errors import StoreError
from beatd.ledger import Result
from beatd.monitors.check_in import CheckIn, MonitorTarget, check_in_of
from beatd.outcome import Delivery

WAITING_MAX = 10_000  # check-ins and outcomes; then the oldest are dropped
AT_ONCE = 500
WARN_EVERY_S = 60.0
PAUSE_S = 5.0  # a new check-in ends the pause

log = logging.getLogger("beatd")


class MonitorThread:
    """Sends messages about runs, called check-ins, to external monitors such as Sentry.

    The check-ins are made from the daemon's events. Outcomes of runs are ignored until an entry
    with a monitor is known.
    """

    def __init__(
        self, targets: Sequence[MonitorTarget], *, state: DaemonState, observer: events.Observer
    ) -> None:
        self._targets, self._state = targets, state
        self._check_ins = deque[CheckIn](maxlen=WAITING_MAX)
        self._outcomes = deque[Delivery](maxlen=WAITING_MAX)
        self._any, self._marked, self._nth_lead = threading.Event(), False, 0
        self._warned_at = float("-inf")
        self._failed = 0
        self._loop = Loop(
            self.turn,
            name="monitors",
            stuck_after_s=NEVER_STUCK_S,
            clock=state.clock,
            observer=observer,
        )

    def events(self, event: events.Event) -> None:
        """Queue messages to monitors about the runs in this event. Any thread may call this."""
        match event:
            case events.Sent(results=results):
                monitored = [one for one in results if one.run.entry.monitor is not None]
                if monitored:
                    self._any.set()
                    self._check_ins.extend(published_check_ins(monitored))
                    self._loop.wake()
            case events.OutcomesRead(deliveries=deliveries) if deliveries:
                self._outcomes.extend(deliveries)
                if self._any.is_set():
                    self._loop.wake()

    @property
    def loops(self) -> tuple[Loop, ...]:
        return (self._loop,)

    def close(self) -> None:
        """Close the monitors. Queued check-ins are not sent."""
        for target in self._targets:
            target.close()

    def turn(self) -> float:
        """Send the queued check-ins, and return the seconds until the next turn.

        Failures are logged, at most once a minute.
        """
        self._read_mark()
        self._look_up()
        while self._check_ins:
            check_in = self._check_ins.popleft()
            for target in self._targets:
                if target.wants(check_in):
                    self._send(target, check_in)
        return PAUSE_S

    def _read_mark(self) -> None:
        # The mark says whether any entry has a monitor. An error of the store is ignored; the next
        # turn tries again.
        store, nth_lead = self._state.store, self._state.nth_lead()
        if store is None or not nth_lead:
            return
        try:
            if nth_lead != self._nth_lead:
                if store.catalog.marks.has_monitors():
                    self._any.set()
                    self._marked = True
                self._nth_lead = nth_lead
            if self._any.is_set() and not self._marked:
                store.catalog.marks.write_monitors(self._state.clock.now())
                self._marked = True
        except StoreError:
            return  # the next turn tries again

    def _look_up(self) -> None:
        # If no entry has a monitor, the outcomes are dropped. If the store fails, they stay queued.
        store = self._state.store
        if store is None or not self._any.is_set():
            self._outcomes.clear()
            return
        while self._outcomes:
            some = list(islice(self._outcomes, AT_ONCE))
            names = tuple(dict.fromkeys(one.name for one in some))
            try:
                rows = {row.entry.name: row.entry for row in store.catalog.find(Query(names=names))}
            except StoreError:
                return
            for delivery in some:
                self._outcomes.popleft()
                entry = rows.get(delivery.name)
                if entry is not None and entry.monitor is not None:
                    check_in = check_in_of(entry, delivery)
                    if check_in is not None:
                        self._check_ins.append(check_in)

    def _send(self, target: MonitorTarget, check_in: CheckIn) -> None:
        try:
            target.send(check_in)
        except NotDelivered as error:
            self._failed += 1
            now = self._state.clock.elapsed()
            if now - self._warned_at >= WARN_EVERY_S:
                self._warned_at = now
                text = "check-ins that did not reach their monitors: %d; the last is of %s: %s"
                log.warning(text, self._failed, check_in.entry.name, error)
                self._failed = 0


def published_check_ins(results: Iterable[Result]) -> Iterable[CheckIn]:
    """Yield a message to monitors for each run that the broker accepted or rejected."""
    for result in results:
        sent, run = result.outcome.sent, result.run
        if sent == "confirmed":
            yield CheckIn(entry=run.entry, task_id=run.task_id, state="published")
        elif sent == "rejected":
            text = f"not published: {result.outcome.reason}"
            yield CheckIn(entry=run.entry, task_id=run.task_id, state="fail", text=text)
