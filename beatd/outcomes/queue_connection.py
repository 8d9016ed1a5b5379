"""A connection to the broker for reading the queue of reports."""

from collections.abc import Sequence
from typing import Any, Protocol

from kombu import Connection
from kombu.utils.json import loads

from beatd.report_queue import queue_of


class QueueReader(Protocol):
    """Reads the queue of reports. Only one thread uses it. Any method may raise an error of the
    broker."""

    def read(self, limit: int) -> Sequence[bytes]:
        """Return the bodies of up to `limit` messages, oldest first, without waiting for more.

        Connect first if there is no connection.
        """

    def acknowledge(self) -> None:
        """Remove the messages of the last `read` from the queue."""

    def close(self) -> None:
        """Close the connection. Messages that were not acknowledged are read again later."""


class QueueConnection:
    """A connection to the broker, on which the queue `name` is declared. `timeout_s` limits the
    time to connect."""

    def __init__(self, connection: Connection, name: str, timeout_s: float) -> None:
        self._connection, self._name, self._timeout_s = connection, name, timeout_s
        self._declared_on: Any = None
        self._unacknowledged: list[Any] = []

    def close(self) -> None:
        self._declared_on, self._unacknowledged = None, []
        # close() would wait for the goodbye of a broker that may be away.
        self._connection.collect(socket_timeout=0.1)

    def _channel(self) -> Any:
        """Return a channel on which the queue is declared. Connect first if there is no
        connection."""
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
        """Declare the queue on a new channel. A subclass adds here what else its channel needs."""
        queue_of(self._name)(channel).declare()


def as_bytes(body: Any) -> bytes:
    """Return the body of a message as bytes. The result is empty if the body is neither text nor
    bytes."""
    if isinstance(body, str):
        return body.encode(errors="replace")
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


def body_in(channel: Any, payload: Any) -> bytes | None:
    """Return the body of a message in the form in which kombu's virtual transports store it, or
    None if `payload` is no message of kombu.

    No exception is raised, because anybody who reaches the broker can store any `payload` there.
    """
    try:
        return as_bytes(channel.Message(loads(payload), channel=channel).body)
    except Exception:  # kombu raises whatever the wrong type of a field leads to
        return None
