"""Read the queue of reports on RabbitMQ, which sends several hundred messages ahead."""

from collections.abc import Sequence
from typing import Any

from beatd.outcomes.outcome_reader import READ_MAX
from beatd.outcomes.report_queue import KombuReportQueue, as_bytes

PREFETCHED_MAX = 2 * READ_MAX  # messages that the broker sends ahead
WAIT_S = 0.001  # for a message that is on its way; 0 would mean no time-out


class RabbitmqReportQueue(KombuReportQueue):
    """Consumes the queue; messages arrive while the ones before are written."""

    _arrived: list[Any]

    def read(self, limit: int) -> Sequence[bytes]:
        self._channel()
        if self._connection.heartbeat:
            self._connection.heartbeat_check()
        while len(self._arrived) < limit:
            try:
                self._connection.drain_events(timeout=WAIT_S)
            except TimeoutError:
                break
        self._unacknowledged = self._arrived[:limit]
        return [as_bytes(message.body) for message in self._unacknowledged]

    def acknowledge(self) -> None:
        if self._unacknowledged:
            newest = self._unacknowledged[-1]
            self._channel().basic_ack(newest.delivery_tag, multiple=True)
            del self._arrived[: len(self._unacknowledged)]
            self._unacknowledged = []

    def _declare(self, channel: Any) -> None:
        super()._declare(channel)
        self._arrived = []
        channel.basic_qos(0, PREFETCHED_MAX, False)
        channel.basic_consume(self._name, callback=self._arrived.append)
