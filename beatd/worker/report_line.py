"""The broker connection through which a worker sends its reports."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from celery import Celery
from kombu import Producer

from beatd.report import CONTENT_TYPE
from beatd.report_queue import MAX_REPORTS, queue_of
from beatd.servers.message_file import write_whole_files
from beatd.worker.error_line import error_line

TIMEOUT_S = 4.0
DECLARE_EVERY_S = 10.0
PERSISTENT = 2


class ReportLine:
    """A broker connection for sending a worker's reports; after an exception, only call `close`."""

    def __init__(self, app: Celery, queue: str) -> None:
        """Connect to the app's broker and declare the queue. Raises OSError if the broker cannot be
        reached."""
        self._connection = connection = app.connection_for_write()
        transport = connection.transport
        connection.transport_options = {
            **_options(transport.driver_name),
            **connection.transport_options,
        }
        connection.connect_timeout = TIMEOUT_S
        self._drops_by_itself = transport.driver_type == "amqp"
        try:
            with self._as_os_error():
                channel = connection.channel()
                if transport.driver_name == "filesystem":
                    write_whole_files(channel)
                self._queue = queue_of(queue)(channel)
                self._producer = Producer(channel, auto_declare=False)
                self._declare()
        except Exception:
            connection.release()
            raise

    def send(self, body: bytes) -> bool:
        """Send a message to the queue and return True, or return False if the queue is full.

        True means that the broker has the message. Raises OSError if the broker cannot be reached.
        """
        with self._as_os_error():
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

    @contextmanager
    def _as_os_error(self) -> Iterator[None]:
        # The transports have their own classes of errors.
        try:
            yield
        except OSError:
            raise
        except self._connection.connection_errors as error:
            raise ConnectionError(error_line(error)) from error

    def _declare(self) -> None:
        # Notes whether the queue is full.
        # Again, if deleted. Not passively: Redis has no empty queue, RabbitMQ closes the channel.
        size = self._queue.queue_declare().message_count
        self._full = not self._drops_by_itself and size >= MAX_REPORTS
        self._declare_at = monotonic() + DECLARE_EVERY_S

    def close(self) -> None:
        self._connection.release()


def _options(driver: str) -> dict[str, object]:
    # With time limits.
    match driver:
        case "redis":
            return {"socket_timeout": TIMEOUT_S, "socket_connect_timeout": TIMEOUT_S}
        case "py-amqp":
            waits = {"read_timeout": TIMEOUT_S, "write_timeout": TIMEOUT_S}
            return {"confirm_publish": True, **waits}
        case _:
            return {}
