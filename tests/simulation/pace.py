"""How often a daemon ticks."""

from tests.simulation.world import Violation, World


class Pace:
    """An observer: no daemon turns its loop without end, and no two trust in one lease."""

    MOST = 400  # ticks in one second

    def __init__(self, world: World) -> None:
        self._world = world
        self._second, self._ticks, self.most = -1, 0, 0

    def tick(self) -> None:
        second = self._world.micros // 1_000_000
        if second != self._second:
            self._second, self._ticks = second, 0
        self._ticks += 1
        self.most = max(self.most, self._ticks)
        if self._ticks > self.MOST:
            raise Violation(f"L4 more than {self.MOST} ticks in one second")
