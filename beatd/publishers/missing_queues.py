"""Limit the number of queues that celery adds to an app for queue names that the app does not
know."""

from celery import Celery

MISSING_QUEUES_MAX = 2000


class MissingQueues:
    """Deletes the queues that celery has added to the app. Without this, the app would use more
    memory with each new queue name."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._own: set[str] | None = None  # queues of the project itself

    def trim(self) -> None:
        """Delete all queues that celery has added to the app, if there are more than 2000 of them.
        Celery adds a queue again when a message needs it. The first call deletes nothing: it only
        notes which queues are the project's own."""
        queues = self._app.amqp.queues
        if self._own is None:
            self._own = set(queues)
        elif len(queues) > len(self._own) + MISSING_QUEUES_MAX:
            for name in set(queues) - self._own:
                del queues[name]
