"""Read workers' reports from Redis, a whole batch with one command.

kombu's own consumer is not used. It stores its unacknowledged messages together with those of all
workers. After a timeout, which each connection sets, it puts all of them back into their queues. So
this connection could start tasks a second time.
"""

from collections.abc import Sequence
from typing import Any

from beatd.outcomes.queue_connection import QueueConnection, body_in


class RedisQueueReader(QueueConnection):
    """Reads workers' reports from a Redis list, oldest first; `acknowledge` removes them."""

    def read(self, limit: int) -> Sequence[bytes]:
        channel = self._channel()
        # Producers push on the left, so that the oldest message is the last one.
        found = channel.client.lrange(self._key(channel), -limit, -1)
        self._unacknowledged = found[::-1]
        return [body_in(channel, payload) or b"" for payload in self._unacknowledged]

    def acknowledge(self) -> None:
        if not self._unacknowledged:
            return
        channel = self._channel()
        # By value: another daemon, which has just lost the lead, may have removed some of them.
        with channel.client.pipeline(transaction=False) as pipeline:
            for payload in self._unacknowledged:
                pipeline.lrem(self._key(channel), -1, payload)
            pipeline.execute()
        self._unacknowledged = []

    def _key(self, channel: Any) -> str:
        return f"{channel.global_keyprefix}{self._name}"
