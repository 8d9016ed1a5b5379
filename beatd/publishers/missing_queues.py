"""Limit the queues that celery adds to the app for each unknown queue name in an entry."""

from celery import Celery

MOST_MISSING_QUEUES = 2000


class MissingQueues:
    """Deletes queues that celery added; otherwise the app would grow with each new name."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._own: set[str] | None = None  # queues of the project itself

    def trim(self) -> None:
        """Delete the added queues once there are more than 2000; celery adds them again when
        needed. The first call only remembers which queues are the project's own."""
        queues = self._app.amqp.queues
        if self._own is None:
            self._own = set(queues)
        elif len(queues) > len(self._own) + MOST_MISSING_QUEUES:
            for name in set(queues) - self._own:
                del queues[name]
