"""Connect to the broker to read the queue of workers' reports."""

from collections.abc import Sequence
from typing import Any, Protocol

from kombu import Connection
from kombu.utils.json import loads

from beatd.report_queue import queue_of


class QueueReader(Protocol):
    """Reads the queue of workers' reports, on one thread. Any method may raise a broker error."""

    def read(self, limit: int) -> Sequence[bytes]:
        """Return the bodies of up to `limit` waiting messages, oldest first; connect first if
        needed."""

    def acknowledge(self) -> None:
        """Remove the messages of the last `read` from the queue."""

    def close(self) -> None:
        """Close the connection; messages that were not acknowledged are read again later."""


class QueueConnection:
    """The base class of queue readers: a broker connection with the queue `name` declared on it.

    Connecting takes at most `timeout_s` seconds.
    """

    def __init__(self, connection: Connection, name: str, timeout_s: float) -> None:
        self._connection, self._name, self._timeout_s = connection, name, timeout_s
        self._declared_on: Any = None
        self._unacknowledged: list[Any] = []

    def close(self) -> None:
        self._declared_on, self._unacknowledged = None, []
        # close() would wait for the goodbye of a broker that may be away.
        self._connection.collect(socket_timeout=0.1)

    def _channel(self) -> Any:
        connection = self._connection
        if not connection.connected:
            connection.ensure_connection(
                max_retries=1 + len(connection.alt or ()),
                interval_start=0,
                interval_step=0,
                timeout=self._timeout_s,
            )
        channel = connection.default_channel
        if channel is not self._declared_on:
            self._declare(channel)
            self._declared_on = channel
        return channel

    def _declare(self, channel: Any) -> None:
        # Subclasses prepare their channel here.
        queue_of(self._name)(channel).declare()


def as_bytes(body: Any) -> bytes:
    """Return the body of a message as bytes, or b"" if it is neither text nor bytes."""
    if isinstance(body, str):
        return body.encode(errors="replace")
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


def body_in(channel: Any, payload: Any) -> bytes | None:
    """Return the body of a message stored by kombu's virtual transports, or None if it is invalid.

    Never raises, because anybody who reaches the broker can store any `payload` there.
    """
    try:
        return as_bytes(channel.Message(loads(payload), channel=channel).body)
    except Exception:  # kombu raises whatever the wrong type of a field leads to
        return None
