"""Read workers' reports from Amazon SQS, up to ten messages with one request."""

from collections.abc import Sequence
from typing import Any

from kombu import Consumer

from beatd.outcomes.outcome_reader import READ_MAX
from beatd.outcomes.queue_connection import QueueConnection, as_bytes
from beatd.report_queue import queue_of

WAIT_S = 0.001  # after an empty answer; the request itself waits `wait_time_seconds`


class SqsQueueReader(QueueConnection):
    """Reads workers' reports from a queue of Amazon SQS.

    On an empty queue, `read` waits for a message until SQS ends the request.
    """

    _arrived: list[Any]

    def read(self, limit: int) -> Sequence[bytes]:
        self._channel()
        while len(self._arrived) < limit:
            before = len(self._arrived)
            try:
                self._connection.drain_events(timeout=WAIT_S)
            except TimeoutError:
                break
            if len(self._arrived) == before:
                break
            if len(self._arrived) % 10:
                break  # an answer that is not full was the last one
        self._unacknowledged = self._arrived[:limit]
        return [as_bytes(message.body) for message in self._unacknowledged]

    def acknowledge(self) -> None:
        for message in self._unacknowledged:
            message.ack()
        del self._arrived[: len(self._unacknowledged)]
        self._unacknowledged = []

    def _declare(self, channel: Any) -> None:
        super()._declare(channel)
        self._arrived = []
        consumer = Consumer(
            channel,
            [queue_of(self._name)],
            on_message=self._arrived.append,
            prefetch_count=READ_MAX,
            auto_declare=False,
        )
        consumer.consume()
