"""An observer of the daemon's events that stores the facts needed to decide about alerts."""

import threading
from collections.abc import Collection
from datetime import datetime

from msgspec.structs import replace

from beatd import events
from beatd.alerts.judge import Publishing
from beatd.clock import Clock
from beatd.ledger import Result

NAMES_MAX = 200_000


class AlertEvents:
    """Observer that remembers how publishing went for each entry, and which servers are away.

    `store_away_since` is the start of the store's outage, or None without one; `broker_away_since`
    and `outcomes_away_since` mean the same for the broker and for reading outcomes of runs. Any
    thread may call this observer.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._publishing: dict[str, Publishing] = {}
        self._changed: set[str] = set()
        self._went_back: list[str] = []
        self.store_away_since: datetime | None = None
        self.store_trouble = ""
        self.broker_away_since: datetime | None = None
        self.broker_trouble = ""
        self.outcomes_away_since: datetime | None = None
        self.outcomes_trouble = ""

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Sent():
                for result in event.results:
                    if result.run.entry.alert is not None:
                        self._note_result(result)
            case events.OutcomesRead():
                self.changed([one.name for one in event.deliveries])
            case events.Unplannable():
                with self._guard:
                    self._reject(event.name, event.reason)
            case events.StoreAway():
                if self.store_away_since is None:
                    self.store_away_since = self._clock.now()
                self.store_trouble = event.reason
            case events.StoreBack():
                self.store_away_since = None
            case events.BrokerAway():
                self.broker_away_since = self._clock.now()
                self.broker_trouble = event.reason
            case events.OutcomesAway():
                self.outcomes_away_since = self._clock.now()
                self.outcomes_trouble = event.reason
            case events.OutcomesBack():
                self.outcomes_away_since = None
            case events.BrokerBack():
                self.broker_away_since = None
            case events.WentBack():
                with self._guard:
                    self._went_back.append(event.reason)
            case _:
                pass

    def changed(self, names: Collection[str]) -> None:
        """Add these names to the set that `pop_changed` returns.

        Once the set has NAMES_MAX names, further names are ignored.
        """
        with self._guard:
            if len(self._changed) < NAMES_MAX:
                self._changed.update(names)

    def pop_changed(self) -> set[str]:
        """Return the names of the entries that changed since the last call, and forget them."""
        with self._guard:
            changed, self._changed = self._changed, set()
        return changed

    def pop_went_back(self) -> list[str]:
        """Return the new warnings that the store lost its newest data, and forget them."""
        with self._guard:
            found, self._went_back = self._went_back, []
        return found

    def publishing(self, name: str) -> Publishing:
        """Return the newest facts about publishing this entry; empty facts if none are known."""
        return self._publishing.get(name, Publishing())

    def forget(self) -> None:
        """Delete all stored facts about entries."""
        with self._guard:
            self._publishing.clear()
            self._changed.clear()

    def _note_result(self, result: Result) -> None:
        name = result.run.entry.name
        with self._guard:
            if result.outcome.sent == "rejected":
                self._reject(name, result.outcome.reason, result.run.task_id)
            elif result.outcome.sent == "confirmed":
                before = self._publishing.get(name, Publishing())
                confirmed = before.confirmed + 1
                after = replace(before, rejected=0, rejected_task_id="", confirmed=confirmed)
                if result.late is not None:  # not a request by hand, which has no moment
                    after = replace(after, planned=result.run.occurrence.planned, at=result.at)
                self._publishing[name] = after
                self._changed.add(name)

    def _reject(self, name: str, reason: str, task_id: str = "") -> None:
        before = self._publishing.get(name, Publishing())
        self._publishing[name] = replace(
            before,
            rejected=before.rejected + 1,
            rejection=reason,
            rejected_task_id=task_id,
            confirmed=0,
        )
        self._changed.add(name)
