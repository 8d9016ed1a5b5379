"""The store's clock: it may be set, and after a fail-over it is another server's."""

from datetime import datetime, timedelta

from beatd.clock import StoreTime
from beatd.run import Run
from tests.simulation.world import Process, Violation, World


class ServerClock:
    def __init__(self, world: World) -> None:
        self._world = world
        self._offset = timedelta()
        self._server = 1
        self._set_back_at = float("-inf")

    def now(self) -> datetime:
        return self._world.now() + self._offset

    def told(self) -> StoreTime:
        return StoreTime(self.now(), f"server {self._server}")

    def set(self, *, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)
        if seconds < 0:
            self._set_back_at = self._world.elapsed()

    def fail_over(self, *, seconds: float) -> None:
        """Another server answers, whose clock is ahead by so much."""
        self._server += 1
        self.set(seconds=seconds)

    def claims(self, process: Process, run: Run) -> None:
        """Raises Violation where a moment has not come, as far as the process can know.

        It cannot know that the clock was set back before it has read it; what it did in the tick
        under way then, it did by the clock as it was.
        """
        knows = process.asked_time_at > self._set_back_at
        begun_since = process.ticked_at >= process.told_time_at
        in_doubt = self._set_back_at != float("-inf") and not (knows and begun_since)
        if self.now() < run.due and not in_doubt:
            early = (run.due - self.now()).total_seconds()
            name = run.occurrence.name
            raise Violation(f"S9 {name} of {run.due} was claimed {early:.6f} s early")
