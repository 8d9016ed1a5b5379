"""Remember when workers last named the runs that they hold, and find those that are lost."""

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
    """Finds the runs that are lost. It keeps the deliveries that have not ended, each with the time
    when its worker last named it.

    That time counts only while the queue of reports is really read: `read_until` moves it on. It
    stands still while the broker is away, and while more messages wait than one read returns.
    """

    def __init__(self) -> None:
        self._reading_s = 0.0
        self._read_at: float | None = None
        self._live: dict[Key, Delivery] = {}
        self._named: dict[Key, float] = {}  # reading time; also of deliveries that are not known

    def begin(self, live: Iterable[Delivery], silences: Mapping[str, float] = NO_SILENCES) -> None:
        """Forget everything, and count these deliveries as named now, at the start of a lead; those
        of a run in `silences`, by task id, as named so many seconds ago."""
        self._live = {_key(delivery): delivery for delivery in live}
        self._named = {
            key: self._reading_s - silences.get(delivery.task_id, 0.0)
            for key, delivery in self._live.items()
        }
        self.pause()

    def silences(self, running: Mapping[str, Running]) -> dict[str, float]:
        """Return for how many seconds no worker has named these running runs, by task id; only
        those of at least SILENCE_SAVED_FROM_S, and at most SILENCES_MAX, the longest ones.

        A worker that died may have been started again under its name, so its runs are counted each.
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
        """The number of deliveries that a worker has started and not ended."""
        return sum(delivery.state == "started" for delivery in self._live.values())

    def note(self, deliveries: Iterable[Delivery]) -> None:
        """Note that these states were reported; the ended deliveries are no longer live."""
        for delivery in deliveries:
            key = _key(delivery)
            if delivery.state in DELIVERY_ENDS:
                self._live.pop(key, None)
                self._named.pop(key, None)
            else:
                self._live[key] = delivery
                self._named[key] = self._reading_s

    def completed(self, delivery: Delivery) -> Delivery:
        """Return the delivery with what earlier reports said about it, as far as it is live."""
        known = self._live.get(_key(delivery))
        return delivery if known is None else merged(known, delivery)

    def name(self, held: Iterable[Key]) -> None:
        """Note that workers have named these deliveries."""
        for key in held:
            self._named[key] = self._reading_s

    def pause(self) -> None:
        """Count the time until the next `read_until` as time in which nothing was read."""
        self._read_at = None

    def read_until(self, elapsed: float) -> None:
        """Note that all messages were read that had arrived when `Clock.elapsed` was `elapsed`."""
        if self._read_at is not None:
            self._reading_s += min(max(0.0, elapsed - self._read_at), LONGEST_READ_GAP_S)
        self._read_at = elapsed

    def lost(self, at: datetime) -> list[Delivery]:
        """Return as lost, at the time `at`, the deliveries that no worker has named for too long.

        They stay live until `note` is called with them, so that a failed write is tried again.
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
        """True if workers have named any delivery of late."""
        return bool(self._named)

    def to_prolong(self, running: Mapping[str, Running], now: datetime) -> list[str]:
        """Return the task ids of the running runs that workers still name, and whose time is
        nearly over."""
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
