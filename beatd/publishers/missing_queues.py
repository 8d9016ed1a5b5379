"""Limit the number of queues that celery adds to an app for unknown queue names in entries."""

from celery import Celery

MISSING_QUEUES_MAX = 2000


class MissingQueues:
    """Deletes the queues that celery has added to the app; otherwise the app would grow with each
    new name."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._own: set[str] | None = None  # queues of the project itself

    def trim(self) -> None:
        """Delete the queues that celery has added, if there are more than 2000 of them; celery adds
        a queue again when it is needed. The first call deletes nothing: it notes the queues that
        are the project's own."""
        queues = self._app.amqp.queues
        if self._own is None:
            self._own = set(queues)
        elif len(queues) > len(self._own) + MISSING_QUEUES_MAX:
            for name in set(queues) - self._own:
                del queues[name]
