"""The store's clock: it may be set, and after a fail-over it is another server's."""

from datetime import datetime, timedelta

from beatd.clock import MAX_DRIFT, StoreTime
from beatd.run import Run
from tests.simulation.world import Process, Violation, World

FINEST_S = 0.00001  # times are whole microseconds


def drift_s(seconds: float) -> float:
    """Return how far a daemon's clock may be behind the store's after these seconds."""
    return 2 * MAX_DRIFT * seconds


class ServerClock:
    def __init__(self, world: World) -> None:
        self._world = world
        self._offset = timedelta()
        self._server = 1
        self._set_back_at = self._set_at = float("-inf")
        self._back_s = 0.0  # the most that it was set back by
        self._can_be_hidden = False  # by a slow reply, as long as the same server answers

    def now(self) -> datetime:
        return self._world.now() + self._offset

    def told(self) -> StoreTime:
        return StoreTime(self.now(), f"server {self._server}")

    def set(self, *, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)
        self._set_at = self._world.elapsed()
        if seconds < 0:
            self._back_s = max(self._back_s, -seconds)
            self._set_back_at, self._can_be_hidden = self._world.elapsed(), True

    def fail_over(self, *, seconds: float) -> None:
        """Another server answers, whose clock is ahead by so much."""
        self._server += 1
        self.set(seconds=seconds)
        if seconds < 0:
            self._can_be_hidden = False

    def claims(self, process: Process, run: Run) -> None:
        """Raise Violation if the moment has not come, as far as the process can know."""
        early = (run.due - self.now()).total_seconds()
        if early > 0 and early > self._unknown_s(process):
            name = run.occurrence.name
            raise Violation(f"S9 {name} of {run.due} was claimed {early:.6f} s early")

    def publishes(self, process: Process, run: Run) -> None:
        """Raise Violation if a message comes too early by the host's clock, or its clock lags.

        It may come early by the difference of the two clocks that the daemon reports. The daemon's
        clock may be behind the store's by the time that its quickest reply took, and by its drift.
        """
        daemon, name = process.daemon, run.occurrence.name
        since_s = self._world.elapsed() - max(
            (told for _, told in process.clock_replies), default=0
        )
        is_stepped = self._world.seen["nature: step"]
        if not run.occurrence.request and not is_stepped:
            early = (run.due - daemon.clock.host_now()).total_seconds()
            bound = self._back_s - daemon.store_clock.offset_s + drift_s(since_s) + FINEST_S
            if early > bound:
                raise Violation(
                    f"S14 {name} of {run.due} was published {early:.6f} s early by its host's"
                    f" clock, and the store's is ahead of it by {bound:.6f} s"
                )
        behind = (self.now() - daemon.now()).total_seconds()
        if behind > self._lag_s(process):
            raise Violation(f"S14 {name} was published by a clock that is {behind:.6f} s behind")

    def _lag_s(self, process: Process) -> float:
        """Return the most that a process's clock may be behind, by its replies since it was set."""
        least, newest_asked = float("inf"), float("-inf")
        for asked, told in process.clock_replies:
            if asked > max(self._set_at, newest_asked):
                least = min(least, told - asked + drift_s(self._world.elapsed() - told))
            newest_asked = max(newest_asked, asked)
        return least + FINEST_S

    def _unknown_s(self, process: Process) -> float:
        """Return how far the clock may be behind the process's own since it was last set back.

        The process cannot know of it before a reply, and a reply that took longer than the clock
        was set back does not show it: the clock may have been read when the reply was asked for.
        What the process did in a tick that was under way, it did by the clock as it was.
        """
        if all(asked > self._set_back_at for asked, _ in process.clock_replies):
            return 0.0
        trips = [
            told - asked
            for asked, told in process.clock_replies
            if asked > self._set_back_at and told <= process.ticked_at
        ]
        if trips and not self._can_be_hidden:
            return 0.0
        return min(trips, default=float("inf")) * (1 + 2 * MAX_DRIFT)
