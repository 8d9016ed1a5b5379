"""Find entries whose runs no worker receives any more, and emit an event when that changes."""

from collections.abc import Callable, Mapping

from beatd.clock import Clock
from beatd.entry import Entry
from beatd.events import Observer, RunsNotReceived, RunsReceivedAgain
from beatd.last_sent import not_received
from beatd.store import Roles

CHECKED_EVERY_S = 5.0
ENTRIES_MAX = 1_000  # that are remembered at once


class NotReceivedNews:
    """Emits an event when workers no longer receive the runs of entries, and when they do again.

    `queue_of` returns the queue that gets an entry's messages. `tell` receives the events. An entry
    is named if two checks in a row find it, so that a short wait in the queue is no news.
    """

    def __init__(
        self, store: Roles, *, queue_of: Callable[[Entry], str], clock: Clock, tell: Observer
    ) -> None:
        self._store, self._queue_of, self._clock, self._tell = store, queue_of, clock, tell
        self._counted: tuple[str, int] | None = None  # the store's version, its number of entries
        self.forget()

    def forget(self) -> None:
        """Forget all entries, because this daemon stops leading."""
        self._seen = set[str]()  # by the last check
        self._reported: dict[str, tuple[str, str]] = {}  # entry -> its queue, the last run reported
        self._check_at = float("-inf")

    def check(self) -> None:
        """Look for such entries, unless the last check is less than CHECKED_EVERY_S old.

        Call it only if all reports that wait were read. Raises StoreError if the store fails.
        """
        if self._clock.elapsed() < self._check_at:
            return
        self._check_at = self._clock.elapsed() + CHECKED_EVERY_S
        store = self._store
        found = not_received(
            store.catalog,
            store.history,
            store.outcomes,
            self._clock.now(),
            entries=self._number_of_entries(),
        )
        entries = {row.entry.name: row.entry for row, _ in found.entries}
        self._report_received(entries)
        news = [name for name in entries if name in self._seen and name not in self._reported]
        self._seen = set(entries)
        self._report_not_received([entries[name] for name in news])

    def _number_of_entries(self) -> int:
        version = self._store.catalog.version()  # cheap, while a database reads all to count
        if self._counted is None or self._counted[0] != version:
            self._counted = version, self._store.catalog.count()
        return self._counted[1]

    def _report_not_received(self, entries: list[Entry]) -> None:
        entries = entries[: ENTRIES_MAX - len(self._reported)]
        if not entries:
            return
        known = self._store.outcomes.entry_outcomes([one.name for one in entries])
        by_queue: dict[str, list[str]] = {}
        for one in entries:
            if one.name in known:
                queue = self._queue(one)
                self._reported[one.name] = queue, known[one.name].newest.task_id
                by_queue.setdefault(queue, []).append(one.name)
        for queue, names in by_queue.items():
            self._tell(RunsNotReceived(names, queue))

    def _queue(self, entry: Entry) -> str:
        # A router of the app may raise anything; the other entries are reported all the same.
        try:
            return self._queue_of(entry)
        except Exception:
            return ""

    def _report_received(self, waiting: Mapping[str, Entry]) -> None:
        # An entry that is no longer found may be removed, or not among the newest records.
        left = [name for name in self._reported if name not in waiting]
        if not left:
            return
        known = self._store.outcomes.entry_outcomes(left)
        by_queue: dict[str, list[str]] = {}
        for name in left:
            queue, reported = self._reported[name]
            if name not in known:
                del self._reported[name]
            elif known[name].newest.task_id != reported:
                del self._reported[name]
                by_queue.setdefault(queue, []).append(name)
        for queue, names in by_queue.items():
            self._tell(RunsReceivedAgain(names, queue))
