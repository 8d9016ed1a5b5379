"""Find lost runs: runs that no worker has listed as its own for LOST_AFTER_S seconds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import structs

from beatd.outcome import DELIVERY_ENDS, Delivery
from beatd.outcomes.deliveries import merged
from beatd.report import LOST_AFTER_S
from beatd.run import Running

LONGEST_READ_GAP_S = 2.0  # more time between two reads does not count as silence
PROLONG_BEFORE_S = 30.0  # a run whose time ends within this is prolonged
PROLONG_BY_S = 60.0

SILENCE_SAVED_FROM_S, SILENCES_MAX = 2.0, 1000
NO_SILENCES: Mapping[str, float] = {}

Key = tuple[str, str]  # task id, delivery
#: Returns what the store knows about runs, by task id.
Find = Callable[[Sequence[str]], Mapping[str, Sequence[Delivery]]]


class LostRuns:
    """Finds runs that are lost: a worker received them, but no worker mentions them any more.

    Workers regularly list the runs that they have. A run that is in no list for LOST_AFTER_S
    seconds is lost. Seconds count only while reports are read: `read_until` adds them.
    """

    def __init__(self) -> None:
        self._reading_s = 0.0
        self._read_at: float | None = None
        self._live: dict[Key, Delivery] = {}
        self._named: dict[Key, float] = {}  # reading time; also of deliveries that are not known

    def begin(self, live: Iterable[Delivery], silences: Mapping[str, float] = NO_SILENCES) -> None:
        """Start again with the runs that workers have now, as if workers had just listed them.

        `silences` has, for some task ids, how many seconds ago the run was last listed instead.
        """
        self._live = {_key(delivery): delivery for delivery in live}
        self._named = {
            key: self._reading_s - silences.get(delivery.task_id, 0.0)
            for key, delivery in self._live.items()
        }
        self.pause()

    def silences(self, running: Mapping[str, Running]) -> dict[str, float]:
        """Return how many seconds ago a worker last listed each running run, by task id.

        Only the SILENCES_MAX longest, of at least SILENCE_SAVED_FROM_S seconds, are returned.
        """
        # Counted for each run: a worker that died may be started again under the same name.
        ids = {run.task_id for run in running.values()}
        found: dict[str, float] = {}
        for (task, _), named in self._named.items():
            if task in ids:
                silent = self._reading_s - named
                found[task] = min(silent, found.get(task, silent))
        longest = sorted(found.items(), key=lambda one: one[1], reverse=True)[:SILENCES_MAX]
        return {task: silent for task, silent in longest if silent >= SILENCE_SAVED_FROM_S}

    @property
    def started(self) -> int:
        """The number of runs that workers are executing now."""
        return sum(delivery.state == "started" for delivery in self._live.values())

    def note(self, deliveries: Iterable[Delivery]) -> None:
        """Record what workers reported; a run with a final state is no longer watched, any other
        is."""
        for delivery in deliveries:
            key = _key(delivery)
            if delivery.state in DELIVERY_ENDS:
                self._live.pop(key, None)
                self._named.pop(key, None)
            else:
                self._live[key] = delivery
                self._named[key] = self._reading_s

    def completed(self, delivery: Delivery) -> Delivery:
        """Return a worker's newest report with the times and the error of its earlier reports."""
        known = self._live.get(_key(delivery))
        return delivery if known is None else merged(known, delivery)

    def name(self, held: Iterable[Key]) -> None:
        """Record that workers listed these runs just now, each given as (task id, delivery id)."""
        for key in held:
            self._named[key] = self._reading_s

    def pause(self) -> None:
        """Stop counting seconds until the next `read_until`, because no reports are read
        meanwhile."""
        self._read_at = None

    def read_until(self, elapsed: float) -> None:
        """Record that all reports that arrived before the time `elapsed` are read.

        The time since the last call, at most LONGEST_READ_GAP_S seconds, counts as silence of all
        runs that were not listed.
        """
        if self._read_at is not None:
            self._reading_s += min(max(0.0, elapsed - self._read_at), LONGEST_READ_GAP_S)
        self._read_at = elapsed

    def lost(self, at: datetime, find: Find = lambda _: {}) -> list[Delivery]:
        """Return the runs that are lost now, as reports with the state "lost" and the time `at`.

        `find` is asked about runs that workers listed and of which no report was read: an earlier
        leader may have written one. The next call returns the lost runs again, unless `note` was
        called with them.
        """
        silent = [key for key, named in self._named.items() if self._is_silent(named)]
        unknown = sorted({key[0] for key in silent if key not in self._live})
        if unknown:
            self._learn(find(unknown))
        lost = []
        for key in silent:
            delivery = self._live.get(key)
            if delivery is None:
                del self._named[key]
            else:
                lost.append(structs.replace(delivery, state="lost", at=max(at, delivery.at)))
        return lost

    def _learn(self, found: Mapping[str, Sequence[Delivery]]) -> None:
        for deliveries in found.values():
            for delivery in deliveries:
                if delivery.state not in DELIVERY_ENDS:
                    self._live.setdefault(_key(delivery), delivery)
                    self._named.setdefault(_key(delivery), self._reading_s)

    def holds_named(self) -> bool:
        """Return True if workers have any run, or listed one a short time ago."""
        return bool(self._named)

    def to_prolong(self, running: Mapping[str, Running], now: datetime) -> list[str]:
        """Return the ids of runs that workers still have, but that soon would count as ended.

        Soon means within PROLONG_BEFORE_S seconds; the caller then moves their `until` to a later
        time.
        """
        soon = now + timedelta(seconds=PROLONG_BEFORE_S)
        ending = {run.task_id for run in running.values() if run.until < soon}
        if not ending:
            return []
        named = {task for (task, _), at in self._named.items() if not self._is_silent(at)}
        return sorted(ending & named)

    def _is_silent(self, named: float) -> bool:
        return self._reading_s - named > LOST_AFTER_S


def _key(delivery: Delivery) -> Key:
    return delivery.task_id, delivery.delivery
