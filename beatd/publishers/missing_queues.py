"""Limit how many queues celery adds to an app for unknown queue names."""

from celery import Celery

MISSING_QUEUES_MAX = 2000


class MissingQueues:
    """Removes queues that celery added to the app, so that they do not fill the memory."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._own: set[str] | None = None  # queues of the project itself

    def trim(self) -> None:
        """Remove the queues that celery added to the app, if there are more than 2000.

        Celery adds them again when needed. The first call removes nothing: it notes the app's own
        queues.
        """
        queues = self._app.amqp.queues
        if self._own is None:
            self._own = set(queues)
        elif len(queues) > len(self._own) + MISSING_QUEUES_MAX:
            for name in set(queues) - self._own:
                del queues[name]
