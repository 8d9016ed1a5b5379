"""The store's clock: it may be set, and after a fail-over it is another server's."""

from datetime import datetime, timedelta

from beatd.clock import MAX_DRIFT, StoreTime
from beatd.engine.tick import OLD_CLOCK_S
from beatd.ledger import Move
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
        # By a process and the id of a run or a backlog: when the tick before its own one ended.
        self._decided_since: dict[tuple[Process, str], float] = {}
        self._can_be_hidden = False  # by a slow reply, as long as the same server answers
        # By a process: the server of its newest reply, and when those replies were asked for that
        # did not show that the clock had been set back.
        self._heard_from: dict[Process, str] = {}
        self._showed_nothing: set[tuple[Process, float]] = set()

    def now(self) -> datetime:
        return self._world.now() + self._offset

    def told(self) -> StoreTime:
        return StoreTime(self.now(), f"server {self._server}")

    def set(self, *, seconds: float) -> None:
        self._offset += timedelta(seconds=seconds)
        self._set_at = self._world.elapsed()
        if seconds < 0:
            self._set_back_at, self._can_be_hidden = self._world.elapsed(), True

    def fail_over(self, *, seconds: float) -> None:
        """Another server answers, whose clock is ahead by so much."""
        self._server += 1
        self.set(seconds=seconds)
        if seconds < 0:
            self._can_be_hidden = False

    def claims(self, process: Process, run: Run, began: float) -> None:
        """Raise Violation if the moment has not come, as far as the process can know.

        Its term began then.
        """
        early = (run.due - self.now()).total_seconds()
        if early > 0 and early > self._unknown_s(process, began):
            name = run.occurrence.name
            raise Violation(f"S9 {name} of {run.due} was claimed {early:.6f} s early")

    def decides(self, process: Process, move: Move) -> None:
        """Note in which tick the process found that a moment has come.

        What was missed was found by the tick that wrote its backlog, maybe of another process.
        """
        if move.of == "claim":
            return  # found when the run was claimed first
        since: float | None = process.ticked_at
        if move.of == "request":
            assert move.request is not None
            since = self._decided_since.get((process, move.request.id))
        run, backlog = move.run, move.backlog
        found = ([run.task_id] if run else []) + ([backlog.id] if backlog else [])
        for id in found:
            if since is None:
                self._decided_since.pop((process, id), None)
            else:
                self._decided_since[process, id] = since

    def publishes(self, process: Process, run: Run) -> None:
        """Raise Violation if a message comes too early by the host's clock, or its clock lags.

        It may come early by the difference of the two clocks that the daemon reported in the tick
        that claimed it. The daemon's clock may be behind the store's by the time that its quickest
        reply took, and by its drift.
        """
        daemon, name = process.daemon, run.occurrence.name
        if not self._world.seen["nature: step"]:
            reported_s = daemon.store_clock.offset_s
            found_s = (daemon.clock.host_now() - daemon.now()).total_seconds()
            if abs(reported_s - found_s) > drift_s(self._since_s(process)) + FINEST_S:
                raise Violation(
                    f"S14 {process.name} reports that its host's clock is {reported_s:.6f} s ahead,"
                    f" and it is {found_s:.6f} s"
                )
            if not run.occurrence.request and (process, run.task_id) in self._decided_since:
                self._by_its_host(process, run)
        behind = (self.now() - daemon.now()).total_seconds()
        if behind > self._lag_s(process):
            raise Violation(f"S14 {name} was published by a clock that is {behind:.6f} s behind")

    def _by_its_host(self, process: Process, run: Run) -> None:
        """Raise Violation if a message is earlier by its host's clock than any report explains.

        What was reported before the claim may not be what is reported now: the daemon measures
        again, and the store's clock may have been set.
        """
        since = self._decided_since[process, run.task_id]
        daemon = process.daemon
        explained = [drift_s(self._since_s(process)) - daemon.store_clock.offset_s]
        for begin, end, offset_s in process.reported:
            if end >= since:
                explained.append(drift_s(end - begin) - offset_s)
        early, bound = (run.due - daemon.clock.host_now()).total_seconds(), max(explained)
        if early > bound + FINEST_S:
            raise Violation(
                f"S14 {run.occurrence.name} of {run.due} was published {early:.6f} s early by its"
                f" host's clock, and the store's was ahead of it by {bound:.6f} s"
            )

    def answers(self, process: Process, asked: float, reply: StoreTime) -> None:
        """Note that a reply arrived, which was asked for then; the daemon takes the newest only."""
        told, before = self._world.elapsed(), self._newest(process)
        if before is not None and asked >= before[0]:
            process.reported.append((before[1], told, process.daemon.store_clock.offset_s))
            same = self._heard_from[process] == reply.server
            if same and self._hides_a_step(process.daemon.now(), reply, told - asked):
                self._showed_nothing.add((process, asked))
        if before is None or asked >= before[0]:
            self._heard_from[process] = reply.server
        process.clock_replies.append((asked, told))

    def _hides_a_step(self, shown: datetime, reply: StoreTime, trip_s: float) -> bool:
        """Whether the daemon's clock is ahead, and the store's may show the same by this reply."""
        latest = reply.moment + timedelta(seconds=trip_s + drift_s(trip_s) + FINEST_S)
        return self.now() < shown <= latest

    def _newest(self, process: Process) -> tuple[float, float] | None:
        """Return of the newest reply when it was asked for, and when it arrived."""
        return max(process.clock_replies, key=lambda reply: reply[0], default=None)

    def _since_s(self, process: Process) -> float:
        """Return for how long the daemon has reported the same difference of the two clocks."""
        newest = self._newest(process)
        return 0.0 if newest is None else self._world.elapsed() - newest[1]

    def _lag_s(self, process: Process) -> float:
        """Return the most that a process's clock may be behind, by its replies since it was set.

        A reply that did not show that the clock had been set back gives no bound: when a later one
        shows it, the clock may have been set between the two, and the later one is all that counts.
        """
        least, newest_asked = float("inf"), float("-inf")
        for asked, told in process.clock_replies:
            is_newer = asked > max(self._set_at, newest_asked)
            if is_newer and (process, asked) not in self._showed_nothing:
                least = min(least, told - asked + drift_s(self._world.elapsed() - told))
            newest_asked = max(newest_asked, asked)
        return least + FINEST_S

    def _unknown_s(self, process: Process, began: float) -> float:
        """Return how far the clock may be behind the process's own since it was last set back.

        The process cannot know of it before a reply, and a reply that took longer than the clock
        was set back does not show it: the clock may have been read when the reply was asked for.
        What the process did in a tick that was under way, it did by the clock as it was. Who begins
        to lead asks first, unless the last reply is new.
        """
        if all(asked > self._set_back_at for asked, _ in process.clock_replies):
            return 0.0
        trips = [
            (told - asked, told)
            for asked, told in process.clock_replies
            if asked > self._set_back_at
        ]
        unknown_s = min((s for s, told in trips if told <= process.ticked_at), default=float("inf"))
        if began - self._set_back_at > OLD_CLOCK_S * (1 + 2 * MAX_DRIFT):
            unknown_s = min(unknown_s, max((s for s, _ in trips), default=0.0))
        if unknown_s < float("inf") and not self._can_be_hidden:
            return 0.0
        return unknown_s * (1 + 2 * MAX_DRIFT)
