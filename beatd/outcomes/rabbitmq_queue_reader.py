"""Read workers' reports from RabbitMQ, which sends up to PREFETCHED_MAX messages ahead."""

from collections.abc import Sequence
from time import monotonic
from typing import Any

from beatd.outcomes.outcome_reader import READ_MAX
from beatd.outcomes.queue_connection import QueueConnection, as_bytes

PREFETCHED_MAX = 2 * READ_MAX  # messages that the broker sends ahead
WAIT_S = 0.001  # for a message that is on its way; 0 would mean no time-out
PROVED_EVERY_S = 5.0  # that the connection works: on a broken one no message arrives, either


class RabbitmqQueueReader(QueueConnection):
    """Reads workers' reports from a RabbitMQ queue.

    RabbitMQ sends messages ahead, so that more arrive while the caller processes the last ones.
    """

    _arrived: list[Any]
    _proved_at = 0.0

    def read(self, limit: int) -> Sequence[bytes]:
        channel = self._channel()
        if self._connection.heartbeat:
            self._connection.heartbeat_check()
        if monotonic() - self._proved_at > PROVED_EVERY_S:
            channel.queue_declare(self._name, passive=True)
            self._proved_at = monotonic()
        while len(self._arrived) < limit:
            try:
                self._connection.drain_events(timeout=WAIT_S)
            except TimeoutError:
                break
        self._unacknowledged = self._arrived[:limit]
        return [as_bytes(message.body) for message in self._unacknowledged]

    def acknowledge(self) -> None:
        if self._unacknowledged and self._declared_on is not None:
            newest = self._unacknowledged[-1]
            self._declared_on.basic_ack(newest.delivery_tag, multiple=True)
            del self._arrived[: len(self._unacknowledged)]
            self._unacknowledged = []

    def _declare(self, channel: Any) -> None:
        # Each wait for an answer ends after this time.
        channel.connection.transport.sock.settimeout(self._timeout_s)
        super()._declare(channel)
        self._arrived = []
        channel.basic_qos(0, PREFETCHED_MAX, False)
        channel.basic_consume(self._name, callback=self._arrived.append)
        self._proved_at = monotonic()
