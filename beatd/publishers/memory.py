"""A publisher that stores the newest runs in memory and sends nothing, for trials and tests."""

from collections import deque
from collections.abc import Callable, Sequence

from beatd.publisher import Outcome
from beatd.run import Run

CONFIRMED = Outcome("confirmed")


class MemoryPublisher:
    """A publisher that confirms every run and sends nothing. `sent` contains the newest `size`
    runs, oldest first. `revoked` contains the newest `size` task ids that were revoked, oldest
    first."""

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
