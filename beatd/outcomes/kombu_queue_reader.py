"""Read workers' reports from any broker that kombu supports, one message at a time."""

from collections.abc import Sequence
from contextlib import suppress

from beatd.outcomes.queue_connection import QueueConnection, as_bytes
from beatd.report_queue import queue_of


class KombuQueueReader(QueueConnection):
    """Reads workers' reports from any broker that kombu supports, with one request per message."""

    def read(self, limit: int) -> Sequence[bytes]:
        queue, bodies = queue_of(self._name)(self._channel()), list[bytes]()
        self._unacknowledged = []
        while len(bodies) < limit and (message := queue.get()) is not None:
            self._unacknowledged.append(message)
            bodies.append(as_bytes(message.body))
        return bodies

    def acknowledge(self) -> None:
        for message in self._unacknowledged:
            message.ack()
        self._unacknowledged = []

    def close(self) -> None:
        with suppress(Exception):  # the broker may be away
            for message in self._unacknowledged:
                message.requeue()  # kombu's broker in memory would drop them
        super().close()
