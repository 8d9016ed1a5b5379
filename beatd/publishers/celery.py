"""The publisher: the message celery beat would send, to whichever broker the app has."""

import threading
from collections.abc import Callable, Sequence

from celery import Celery

from beatd.publisher import Outcome, Push
from beatd.publishers.catching import CatchingProducer
from beatd.publishers.letter import Letter
from beatd.publishers.one_by_one import OneByOne, connection_of
from beatd.publishers.rendering import Unbuildable, celerys_own
from beatd.run import Run


class CeleryPublisher:
    """Publishes through kombu to the app's broker; safe to ask from several threads."""

    def __init__(self, *, app: Celery, timeout: float = 2.0) -> None:
        self._app = app
        self._lock = threading.Lock()
        connection = connection_of(app, timeout)
        self._producer = CatchingProducer(connection)
        self._wire = OneByOne(connection=connection, timeout=timeout)

    def prepare(self, runs: Sequence[Run]) -> None:
        pass

    def publish(self, runs: Sequence[Run], may_go_on: Callable[[], bool]) -> Sequence[Outcome]:
        with self._lock:
            outcomes: list[Outcome | None] = []
            letters: list[Letter] = []
            for run in runs:
                try:
                    letters.append(celerys_own(self._app, self._producer, run)[0])
                    outcomes.append(None)
                except Unbuildable as error:
                    outcomes.append(Outcome("rejected", str(error)))
            sent = iter(self._wire.send(letters, may_go_on))
            return [next(sent) if outcome is None else outcome for outcome in outcomes]

    def reachable(self) -> bool:
        with self._lock:
            return self._wire.reachable()

    def close(self) -> None:
        with self._lock:
            self._wire.close()

    def pushes(self, runs: Sequence[Run]) -> Sequence[Sequence[Push] | Outcome]:
        raise NotImplementedError

    def server(self) -> tuple[str, int] | None:
        return None
