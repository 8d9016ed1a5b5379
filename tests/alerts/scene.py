"""A daemon's thread of alerts on a real store and a real receiver; the test moves the time."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from beatd.alerts.watched import Watched
from beatd.catalog import Change
from beatd.daemon.alert_thread import AlertThread
from beatd.daemon.alerting import Alerting
from beatd.daemon.daemon_state import DaemonState
from beatd.events import Event
from beatd.incident import Incident
from beatd.notifiers.webhook import Webhook
from beatd.outcome import Delivery, OutcomeState
from beatd.store import Roles, Store
from tests.fake_clock import FakeClock
from tests.notifiers.receivers import Receiver
from tests.process import PATIENCE
from tests.stores.making import entry, holder, plan
from tests.waiting import until

WAIT = timedelta(seconds=30)


class Head(DaemonState):
    """What a thread of alerts sees of its daemon, as the test wants it."""

    def __init__(self, store: Store, clock: FakeClock, term: int) -> None:
        super().__init__(me=holder(), clock=clock)
        self.store, self.number = Roles.of(store), term
        self.problems: list[str] = []
        self.trouble_of_broker = self.trouble_of_lock = ""

    def nth_lead(self) -> int:
        return self.number

    @property
    def conflicts(self) -> list[str]:
        return self.problems

    def broker_trouble(self) -> str:
        return self.trouble_of_broker

    def lock_trouble(self) -> str:
        return self.trouble_of_lock


class Scene:
    """Daemons on one store. One that is "killed" is simply not turned any more."""

    def __init__(self, open_store: Callable[[], Store], receiver: Receiver) -> None:
        self._open, self._receiver = open_store, receiver
        self.clock = FakeClock("2026-03-01T12:00:00+00:00")
        self.store = open_store()
        self.term = 0
        self.events: list[Event] = []
        self.head: Head
        self.thread: AlertThread
        self._threads: list[AlertThread] = []
        self._runs = 0
        self.delivers = True  # False: a message that is posted does not arrive

    def leader(self, *, again: timedelta | None = None, standby: bool = False) -> AlertThread:
        """Start another daemon, which leads unless it is a standby; the one before is killed."""
        self.term += 0 if standby else 1
        store = self.store if not self._threads else self._open()
        self.head = Head(store, self.clock, 0 if standby else self.term)
        alerting = Alerting(
            channels=(Webhook(self._receiver.url),),
            wait=WAIT,
            again=again,
        )
        self.thread = AlertThread(
            alerting,
            Watched(elapsed=self.clock.elapsed),
            state=self.head,
            observer=self.events.append,
        )
        self._threads.append(self.thread)
        return self.thread

    def add(self, names: Iterable[str], *, trace: bool = False, **alert: Any) -> None:
        made = [
            Change(name, 0, entry(name, every="1h", alert=alert, trace=trace), plan(0))
            for name in names
        ]
        assert all(self.store.write(made))

    def ends(self, state: OutcomeState, *names: str, error: str = "") -> None:
        """One run of each of these entries ends now, as its worker reports."""
        now = self.clock.now()
        self._runs += 1
        self.store.write_outcomes(
            [
                Delivery(
                    task_id=f"{name}-{self._runs}", delivery="1", name=name, planned=now,
                    state=state, at=now, started=now, finished=now, error=error,
                )
                for name in names
            ],
            now,
        )  # fmt: skip

    def passes(self, seconds: float, step: float = 5) -> None:
        """Let time pass; the daemon's thread turns meanwhile. Sending takes no time."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            self.clock.advance(seconds=min(step, (end - self.clock.now()).total_seconds()))
            self.thread.turn()
            self._let_arrive()

    def _let_arrive(self) -> None:
        under_way = self.thread._news._under_way
        if under_way and self.delivers:
            until(lambda: all(one.posted.is_settled for one in under_way), PATIENCE, "it is sent")
            self.thread.turn()

    def messages(self, count: int) -> list[Any]:
        """Return all messages that have arrived, which must be so many."""
        until(lambda: len(self._receiver.received) >= count, PATIENCE, f"{count} messages")
        said = [one.json for one in self._receiver.received]
        assert len(said) == count, [one["title"] for one in said]
        return said

    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self._receiver.received]

    def silence(self, seconds: float = 300) -> None:
        """Let time pass, in which no further message is sent."""
        before = len(self._receiver.received)
        self.passes(seconds, step=20)
        self.messages(before)
        assert not self.thread._news._under_way

    def incidents(self) -> list[Incident]:
        return list(self.store.incidents(None, None))

    def at(self, **ago: float) -> datetime:
        return self.clock.now() - timedelta(**ago)

    def close(self) -> None:
        for thread in self._threads:
            thread.close()
