"""The second thread of a dispatch, as a task of the same process."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from tests.simulation.world import World


class Second:
    """The second thread of a dispatch that overlaps its batches, as a task of the same process."""

    def __init__(self, world: World) -> None:
        self._world = world

    def submit(self, run: Callable[..., Any], *args: Any) -> "Promise":
        promise, process = Promise(self._world), self._world.process
        assert process is not None

        def work() -> None:
            try:
                promise.set_result(run(*args))
            except Exception as trouble:
                promise.set_exception(trouble)

        self._world.seen["two batches overlapped"] += 1
        self._world.spawn(process, work)
        return promise

    def shutdown(self, *, wait: bool) -> None:
        """A task ends with its work."""


class Promise(Future[Any]):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def settled(self) -> None:
        while not self.done():
            self._world.sleep(0.001)

    def result(self, timeout: float | None = None) -> Any:
        self.settled()
        return super().result(timeout)
