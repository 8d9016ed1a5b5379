"""Queues that celery adds to the app for each unknown name an entry sends to."""

from celery import Celery

MOST_MISSING_QUEUES = 2000


class MissingQueues:
    """Bounds the added queues; without it the app would grow with each new name."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._own: set[str] | None = None  # queues of the project itself

    def trim(self) -> None:
        """Delete the added queues once there are too many; celery adds them again when needed."""
        queues = self._app.amqp.queues
        if self._own is None:
            self._own = set(queues)
        elif len(queues) > len(self._own) + MOST_MISSING_QUEUES:
            for name in set(queues) - self._own:
                del queues[name]
