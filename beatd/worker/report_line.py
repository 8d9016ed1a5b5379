"""The connection over which a worker sends its reports: the app's own broker."""

from time import monotonic

from celery import Celery

from beatd.report import CONTENT_TYPE
from beatd.report_queue import MAX_REPORTS, queue_of

TIMEOUT_S = 4.0
DECLARE_EVERY_S = 10.0
PERSISTENT = 2


class ReportLine:
    """An open connection with the queue declared. Every method raises what the transport raises;
    then the line is closed, and another one opened."""

    def __init__(self, app: Celery, queue: str) -> None:
        """Connect and declare the queue, each within the time-out."""
        self._connection = connection = app.connection_for_write()
        kind = connection.transport.driver_type
        connection.transport_options = {**_options(kind), **connection.transport_options}
        connection.connect_timeout = TIMEOUT_S
        connection.connect()
        self._queue = queue_of(queue)(connection.default_channel)
        self._producer = connection.Producer(auto_declare=False)
        self._drops_by_itself = kind == "amqp"
        self._full = False
        self._declare_at = 0.0

    def send(self, body: bytes) -> bool:
        """Return True if the broker has the message, or False if its queue is full and nobody reads
        it."""
        if monotonic() >= self._declare_at:
            self._declare()
        if self._full:
            return False
        self._producer.publish(
            body,
            exchange="",
            routing_key=self._queue.name,
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            delivery_mode=PERSISTENT,
            retry=False,
        )
        return True

    def _declare(self) -> None:
        """Declare the queue, which somebody may have deleted, and see if it is full."""
        # Not passively: Redis has no queue without messages, and RabbitMQ closes the channel.
        size = self._queue.queue_declare().message_count
        self._full = not self._drops_by_itself and size >= MAX_REPORTS
        self._declare_at = monotonic() + DECLARE_EVERY_S

    def close(self) -> None:
        self._connection.release()


def _options(kind: str) -> dict[str, object]:
    """Return transport options that end each wait, by kombu's type of the transport."""
    match kind:
        case "redis":
            return {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
        case "amqp":
            waits = {"read_timeout": TIMEOUT_S, "write_timeout": TIMEOUT_S}
            return {"confirm_publish": True, **waits}
        case _:
            return {}
