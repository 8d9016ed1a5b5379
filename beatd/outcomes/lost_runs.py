"""Find lost runs. Workers regularly list the runs that they have received and not ended; a run is
lost if no list has contained it for LOST_AFTER_S seconds."""

from collections.abc import Iterable, Mapping
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


class LostRuns:
    """Finds the deliveries that are lost: no worker has listed them for LOST_AFTER_S seconds. A
    delivery is one arrival of a run's message at a worker; it is live until its end is reported.

    Seconds count only while the queue of reports is read: `read_until` adds them. None are added
    while the broker is away, or while more messages wait than one read returns.
    """

    def __init__(self) -> None:
        self._reading_s = 0.0
        self._read_at: float | None = None
        self._live: dict[Key, Delivery] = {}
        self._named: dict[Key, float] = {}  # reading time; also of deliveries that are not known

    def begin(self, live: Iterable[Delivery], silences: Mapping[str, float] = NO_SILENCES) -> None:
        """Replace all live deliveries by `live`, at the start of a lead.

        Each delivery counts as listed now. If `silences` has its task id, the delivery counts as
        listed that number of seconds ago.
        """
        self._live = {_key(delivery): delivery for delivery in live}
        self._named = {
            key: self._reading_s - silences.get(delivery.task_id, 0.0)
            for key, delivery in self._live.items()
        }
        self.pause()

    def silences(self, running: Mapping[str, Running]) -> dict[str, float]:
        """Return for how many seconds no worker has listed each of these running runs, by task id.
        Only silences of at least SILENCE_SAVED_FROM_S are returned, and only the SILENCES_MAX
        longest.

        The seconds are counted for each run, not for each worker: a worker that died may have been
        started again under the same name.
        """
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
        """The number of deliveries that workers have started and not ended."""
        return sum(delivery.state == "started" for delivery in self._live.values())

    def note(self, deliveries: Iterable[Delivery]) -> None:
        """Record the reported states. A delivery with a final state is removed; any other delivery
        counts as listed now."""
        for delivery in deliveries:
            key = _key(delivery)
            if delivery.state in DELIVERY_ENDS:
                self._live.pop(key, None)
                self._named.pop(key, None)
            else:
                self._live[key] = delivery
                self._named[key] = self._reading_s

    def completed(self, delivery: Delivery) -> Delivery:
        """Return the delivery with all that earlier reports about it contain. It is returned
        unchanged if there are none, or if its end was reported before."""
        known = self._live.get(_key(delivery))
        return delivery if known is None else merged(known, delivery)

    def name(self, held: Iterable[Key]) -> None:
        """Record that workers listed these deliveries now; `held` has their keys."""
        for key in held:
            self._named[key] = self._reading_s

    def pause(self) -> None:
        """Record that nothing is read until the next `read_until`, so that the time until then does
        not count as silence."""
        self._read_at = None

    def read_until(self, elapsed: float) -> None:
        """Record that all messages were read that had arrived when `Clock.elapsed` was `elapsed`.
        The time since the last call counts, up to LONGEST_READ_GAP_S."""
        if self._read_at is not None:
            self._reading_s += min(max(0.0, elapsed - self._read_at), LONGEST_READ_GAP_S)
        self._read_at = elapsed

    def lost(self, at: datetime) -> list[Delivery]:
        """Return the live deliveries that no worker has listed for LOST_AFTER_S, with the state
        "lost" and the time `at`.

        They stay live until `note` is called with them. So the next call returns them again if the
        caller could not write them.
        """
        silent = [key for key, named in self._named.items() if self._is_silent(named)]
        lost = []
        for key in silent:
            delivery = self._live.get(key)
            if delivery is None:
                del self._named[key]
            else:
                lost.append(structs.replace(delivery, state="lost", at=max(at, delivery.at)))
        return lost

    def holds_named(self) -> bool:
        """Return True if any delivery is live, or was listed by a worker recently."""
        return bool(self._named)

    def to_prolong(self, running: Mapping[str, Running], now: datetime) -> list[str]:
        """Return the task ids of the running runs that must be prolonged: workers still list them,
        and their time as running runs (`until`) ends within PROLONG_BEFORE_S."""
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
