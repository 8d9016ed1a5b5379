"""A publisher for tests and trials that keeps runs in memory and sends nothing."""

from collections import deque
from collections.abc import Callable, Sequence

from beatd.publisher import Outcome
from beatd.run import Run

CONFIRMED = Outcome("confirmed")


class MemoryPublisher:
    """Confirms every run without sending it, for tests and trials.

    `sent` has the newest `size` runs, and `revoked` the newest `size` revoked task ids.
    """

    def __init__(self, *, size: int = 10_000) -> None:
        self.sent: deque[Run] = deque(maxlen=size)
        self.revoked: deque[str] = deque(maxlen=size)

    def prepare(self, runs: Sequence[Run], *, soon: bool = False) -> None:
        pass

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        self.sent.extend(runs)
        return [CONFIRMED] * len(runs)

    def revoke(self, task_ids: Sequence[str]) -> None:
        self.revoked.extend(task_ids)

    def forget(self, names: Sequence[str]) -> None:
        pass

    def reachable(self) -> bool:
        return True

    def trouble(self) -> str:
        return ""

    def on_redis(self) -> None:
        return None

    def close(self) -> None:
        pass
