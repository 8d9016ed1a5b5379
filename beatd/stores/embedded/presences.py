"""Keep the descriptions that running daemons write of themselves, in the memory of one process."""

from collections.abc import Sequence

from beatd.clock import Clock
from beatd.leader import Holder
from beatd.presence import Presence
from beatd.stores.embedded.memory_part import MemoryPart


class MemoryPresences(MemoryPart):
    def __init__(self, *, clock: Clock) -> None:
        super().__init__(clock=clock)
        self._announced: dict[str, tuple[float, Presence]] = {}

    def announce(self, presence: Presence, ttl: float) -> None:
        with self._lock:
            self._announced[presence.holder.token] = (self._clock.elapsed() + ttl, presence)

    def leave(self, holder: Holder) -> None:
        with self._lock:
            self._announced.pop(holder.token, None)

    def daemons(self) -> Sequence[Presence]:
        with self._lock:
            now = self._clock.elapsed()
            self._announced = {t: kept for t, kept in self._announced.items() if kept[0] > now}
            return [presence for _, presence in self._announced.values()]
